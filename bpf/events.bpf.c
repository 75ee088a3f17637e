// What happens to sockets, as it happens: bind, the kernel's own choice of a port, listen, and the end; in every network
// namespace. Each process is described once, before the first event of what it runs, while it still is there to be
// described: who reads the ring later may find it gone.
//
// A program adds little: one record, and no wake-up of the reader unless it sleeps or much has gathered.
#include "vmlinux.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct inet_sock { __u16 inet_sport; } CORE;

#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_UDPLITE 136
#define TCP_SYN_SENT 2
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define PF_KTHREAD 0x00200000

#define BPF_RB_NO_WAKEUP 1
#define BPF_RB_FORCE_WAKEUP 2
#define BPF_SK_STORAGE_GET_F_CREATE 1
#define WAKE_ABOVE (256 << 10)

enum record_kind { RECORD_SOCKET = 1, RECORD_PROCESS = 2 };
enum happened { BOUND = 1, AUTO_BOUND = 2, LISTENING = 3, CLOSED = 4 };

// Mirrored in crates/wire/src/event_record.rs: same order, same sizes; 104 bytes.
struct socket_record {
	__u8 kind;
	__u8 happened;
	__u8 state;
	__u8 only_v6;
	__u32 netns;
	__u64 at;      // ns since boot
	__u64 cookie;
	__u64 started; // of the process, ns since boot; with the next two members it names what ran
	__u64 cgroup;
	__u32 tgid;
	__u32 exec;
	__u32 tid;
	__u32 uid;
	__u32 interface;
	__u16 family;
	__u16 protocol;
	__u16 port;    // host order; 0 where the kernel has not chosen one yet
	__u8 pad[6];
	__u8 address[16];
	char comm[16];
};

#define PARENTS 8
#define NAME_MAX 256
#define EXE_MAX 2048
#define GROUP_MAX 1024
#define ARGUMENTS_MAX 4096

enum flag {
	FLAG_NO_FILE = 1,       // the file that runs has no name any more
	FLAG_NO_FOLDER = 2,     // it never had one: memory that is run
	FLAG_KERNEL = 4,        // a thread of the kernel
	FLAG_EXE_CUT = 8,
	FLAG_GROUP_CUT = 16,
	FLAG_ARGUMENTS_CUT = 32,
	FLAG_NO_ARGUMENTS = 64, // they could not be read
};

struct parent_record { __u32 pid; char comm[16]; };

// Mirrored in crates/wire/src/event_record.rs. Names of paths come innermost first, each with a NUL.
struct process_record {
	__u8 kind;
	__u8 flags;
	__u16 exe_bytes;
	__u16 group_bytes;
	__u16 argument_bytes;
	__u64 started;
	__u64 cgroup;
	__u64 inode;
	__u32 device;
	__u32 tgid;
	__u32 exec;
	__u32 euid;
	char comm[16];
	struct parent_record parents[PARENTS];
	// One name more than is kept: the kernel wants to see that the last one cannot go beyond the end.
	char exe[EXE_MAX + NAME_MAX];
	char group[GROUP_MAX + NAME_MAX];
	char arguments[ARGUMENTS_MAX];
};

// Shared with the reader. Mirrored in crates/wire/src/event_record.rs.
volatile struct {
	__u64 lost;         // records there was no room for
	__u32 reader_pidns; // the reader's PID namespace; 0 for the first, which sees every process
	__u32 pad;
} control = {};

struct {
	int (*type)[BPF_MAP_TYPE_RINGBUF];
	int (*max_entries)[1]; // the loader sets how many bytes
} ring SEC(".maps");

// Set by the reader when it goes to sleep.
struct {
	int (*type)[BPF_MAP_TYPE_ARRAY];
	int (*map_flags)[BPF_F_MMAPABLE];
	int (*max_entries)[1];
	__u32 *key;
	__u32 *value;
} asleep SEC(".maps");

struct run { __u64 started; __u64 cgroup; __u32 exec; __u32 pad; };

// What was described, by process. Who falls out is described once more.
struct {
	int (*type)[BPF_MAP_TYPE_LRU_HASH];
	int (*max_entries)[16384];
	__u32 *key;
	struct run *value;
} described SEC(".maps");

// A mark on sockets whose end says nothing of their beginning: a datagram socket whose port the kernel chose, a stream
// socket that was bound and then connected.
struct {
	int (*type)[BPF_MAP_TYPE_SK_STORAGE];
	int (*map_flags)[BPF_F_NO_PREALLOC];
	int *key;
	__u64 *value;
} marks SEC(".maps");

inline_always void lose(void) { __sync_fetch_and_add(&control.lost, 1); }

inline_always void submit(void *record)
{
	__u64 how = BPF_RB_NO_WAKEUP;
	__u32 only = 0;
	__u32 *sleeps = bpf_map_lookup_elem(&asleep, &only);
	if (sleeps && *sleeps) {
		*sleeps = 0;
		how = BPF_RB_FORCE_WAKEUP;
	} else if (bpf_ringbuf_query(&ring, 0 /* BPF_RB_AVAIL_DATA */) > WAKE_ABOVE) {
		how = BPF_RB_FORCE_WAKEUP;
	}
	bpf_ringbuf_submit(record, how);
}

// How deep a reader's PID namespace may lie; the kernel allows 32, and people need two or three.
#define LEVELS 8

// The number of a process in the reader's PID namespace; 0 where it has none there.
inline_always __u32 number_here(struct task_struct *task)
{
	if (!control.reader_pidns) return READ(task, tgid);
	struct pid *pid = READ(READ(task, group_leader), thread_pid);
	if (!pid) return 0;
	const char *entries = (const char *)__builtin_preserve_access_index(&pid->numbers[0]);
	__u64 entry_bytes = __builtin_preserve_field_info(pid->numbers[0], 1 /* BPF_FIELD_BYTE_SIZE */);
	__u32 deepest = READ(pid, level);
	for (__u32 level = 1; level <= LEVELS; level++) {
		if (level > deepest) break;
		struct upid *entry = (struct upid *)(entries + level * entry_bytes);
		if (READ(READ(entry, ns), ns.inum) == control.reader_pidns) return READ(entry, nr);
	}
	return 0;
}

// Adds a name, and gives where the next one goes; `most` if it did not fit.
inline_always __u32 add_name(char *text, __u32 at, __u32 most, const void *name)
{
	if (at >= most) return most;
	long bytes = bpf_probe_read_kernel_str(text + at, NAME_MAX, name);
	if (bytes <= 0 || bytes > NAME_MAX) return most;
	return at + (__u32)bytes > most ? most : at + (__u32)bytes;
}

// A walk up a path. Each is a loop by the kernel's own function, which the verifier looks at once, not once for each step.
struct file_walk {
	struct process_record *record;
	struct dentry *entry;
	struct dentry *root;
	struct mount *mount;
	__u32 at;
	__u32 done;
};

static int step_up_files(__u32 step, struct file_walk *walk)
{
	struct dentry *entry = walk->entry;
	struct dentry *parent = READ(entry, d_parent);
	if (entry == walk->root) {
		struct mount *above = READ(walk->mount, mnt_parent);
		if (!above || above == walk->mount) {
			walk->done = 1;
			return 1;
		}
		walk->entry = READ(walk->mount, mnt_mountpoint);
		walk->mount = above;
		walk->root = READ(above, mnt.mnt_root);
		return 0;
	}
	walk->at = add_name(walk->record->exe, walk->at, EXE_MAX, READ(entry, d_name.name));
	if (walk->at >= EXE_MAX) return 1;
	if (!parent || parent == entry) {
		walk->done = 1;
		return 1;
	}
	walk->entry = parent;
	return 0;
}

inline_always void describe_exe(struct process_record *record, struct file *file)
{
	struct inode *inode = READ(file, f_inode);
	struct vfsmount *point = READ(file, f_path.mnt);
	__u64 within = __builtin_preserve_field_info(((struct mount *)0)->mnt, 0 /* BPF_FIELD_BYTE_OFFSET */);
	struct file_walk walk = {};
	walk.record = record;
	walk.entry = READ(file, f_path.dentry);
	walk.root = READ(point, mnt_root);
	walk.mount = (struct mount *)((char *)point - within);
	record->inode = READ(inode, i_ino);
	record->device = READ(READ(inode, i_sb), s_dev);
	if (!READ(walk.entry, d_hash.pprev) || !READ(inode, i_nlink)) record->flags |= FLAG_NO_FILE;
	if (walk.entry != walk.root && READ(walk.entry, d_parent) == walk.entry) record->flags |= FLAG_NO_FOLDER;
	bpf_loop(128, step_up_files, &walk, 0);
	if (!walk.done) record->flags |= FLAG_EXE_CUT;
	record->exe_bytes = walk.at;
}

inline_always struct kernfs_node *above(struct kernfs_node *node)
{
	if (__builtin_preserve_field_info(node->__parent, 2 /* BPF_FIELD_EXISTS */)) return READ(node, __parent);
	return READ(node, parent);
}

struct group_walk {
	struct process_record *record;
	struct kernfs_node *node;
	__u32 at;
	__u32 done;
};

static int step_up_groups(__u32 step, struct group_walk *walk)
{
	struct kernfs_node *parent = above(walk->node);
	// The root has no name.
	if (!parent) {
		walk->done = 1;
		return 1;
	}
	walk->at = add_name(walk->record->group, walk->at, GROUP_MAX, READ(walk->node, name));
	walk->node = parent;
	return walk->at >= GROUP_MAX;
}

inline_always void describe_group(struct process_record *record, struct task_struct *task)
{
	struct group_walk walk = {};
	walk.record = record;
	walk.node = READ(READ(READ(task, cgroups), dfl_cgrp), kn);
	if (walk.node) bpf_loop(64, step_up_groups, &walk, 0);
	if (!walk.done) record->flags |= FLAG_GROUP_CUT;
	record->group_bytes = walk.at;
}

struct parent_walk {
	struct process_record *record;
	struct task_struct *task;
};

static int step_up_parents(__u32 step, struct parent_walk *walk)
{
	if (step >= PARENTS) return 1;
	struct task_struct *task = READ(READ(walk->task, real_parent), group_leader);
	struct parent_record *parent = &walk->record->parents[step];
	parent->pid = number_here(task);
	bpf_probe_read_kernel(parent->comm, 16, __builtin_preserve_access_index(&task->comm));
	walk->task = task;
	return 0;
}

inline_always void describe_arguments(struct process_record *record, struct mm_struct *mm)
{
	__u64 start = READ(mm, arg_start), end = READ(mm, arg_end);
	__u64 bytes = end > start ? end - start : 0;
	if (bytes > ARGUMENTS_MAX) {
		bytes = ARGUMENTS_MAX;
		record->flags |= FLAG_ARGUMENTS_CUT;
	}
	if (bytes && bpf_probe_read_user(record->arguments, bytes, (void *)start)) {
		// A part of them is not in memory: what is on their first page may be.
		__u64 page = 4096 - (start & 4095);
		record->flags |= FLAG_ARGUMENTS_CUT;
		if (page < bytes) bytes = page;
		if (bytes > ARGUMENTS_MAX || bpf_probe_read_user(record->arguments, bytes, (void *)start)) {
			record->flags |= FLAG_NO_ARGUMENTS;
			bytes = 0;
		}
	}
	record->argument_bytes = bytes;
}

// Describes the current process; 0 where there is no room for that.
static __attribute__((noinline)) int describe(__u32 exec, __u64 started, __u64 cgroup)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct process_record *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
	if (!record) return 0;
	record->kind = RECORD_PROCESS;
	record->flags = READ(task, flags) & PF_KTHREAD ? FLAG_KERNEL : 0;
	record->exe_bytes = record->group_bytes = record->argument_bytes = 0;
	record->started = started;
	record->cgroup = cgroup;
	record->inode = record->device = 0;
	record->tgid = number_here(task);
	record->exec = exec;
	record->euid = READ(READ(task, cred), euid.val);
	struct task_struct *leader = READ(task, group_leader);
	bpf_probe_read_kernel(record->comm, 16, __builtin_preserve_access_index(&leader->comm));
	struct parent_walk walk = { record, leader };
	bpf_loop(PARENTS, step_up_parents, &walk, 0);
	struct mm_struct *mm = READ(task, mm);
	struct file *file = mm ? READ(mm, exe_file) : 0;
	if (file) describe_exe(record, file);
	if (mm) describe_arguments(record, mm);
	describe_group(record, task);
	submit(record);
	return 1;
}

// Describes the current process unless that was done, and begins a record of it.
inline_always struct socket_record *begin(__u8 happened)
{
	__u64 both = bpf_get_current_pid_tgid();
	__u32 tgid = both >> 32;
	struct run run = {};
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u32 number = tgid;
	if (bpf_rdonly_cast) {
		struct task_struct *here = AS(struct task_struct, task);
		run.exec = here->self_exec_id;
		run.started = here->group_leader->start_boottime;
	} else {
		run.exec = READ(task, self_exec_id);
		run.started = READ(READ(task, group_leader), start_boottime);
	}
	if (control.reader_pidns) number = number_here(task);
	run.cgroup = bpf_get_current_cgroup_id();
	struct run *known = bpf_map_lookup_elem(&described, &tgid);
	if (!known || known->started != run.started || known->exec != run.exec || known->cgroup != run.cgroup) {
		if (describe(run.exec, run.started, run.cgroup))
			bpf_map_update_elem(&described, &tgid, &run, 0);
		else
			lose();
	}
	struct socket_record *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
	if (!record) {
		lose();
		return 0;
	}
	record->kind = RECORD_SOCKET;
	record->happened = happened;
	record->at = bpf_ktime_get_boot_ns();
	record->started = run.started;
	record->cgroup = run.cgroup;
	record->tgid = number;
	record->exec = run.exec;
	record->tid = (__u32)both;
	record->uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(record->comm, 16);
	return record;
}

// The bit of `skc_ipv6only` in the byte behind the state, where it has been since Linux 3.
#define ONLY_V6 32

inline_always void tell(__u8 happened, struct sock *sk, __u64 cookie)
{
	struct socket_record *record = begin(happened);
	if (!record) return;
	record->cookie = cookie;
	*(__u64 *)record->address = *(__u64 *)(record->address + 8) = 0;
	if (bpf_rdonly_cast) {
		struct sock *here = AS(struct sock, sk);
		record->family = here->__sk_common.skc_family;
		record->state = here->__sk_common.skc_state;
		record->port = here->__sk_common.skc_num;
		record->interface = here->__sk_common.skc_bound_dev_if;
		record->netns = here->__sk_common.skc_net.net->ns.inum;
		record->protocol = here->sk_protocol;
		if (record->family == AF_INET) *(__u32 *)record->address = here->__sk_common.skc_rcv_saddr;
	} else {
		record->family = READ(sk, __sk_common.skc_family);
		record->state = READ(sk, __sk_common.skc_state);
		record->port = READ(sk, __sk_common.skc_num);
		record->interface = READ(sk, __sk_common.skc_bound_dev_if);
		record->netns = READ(READ(sk, __sk_common.skc_net.net), ns.inum);
		record->protocol = READ(sk, sk_protocol);
		if (record->family == AF_INET) *(__u32 *)record->address = READ(sk, __sk_common.skc_rcv_saddr);
	}
	// A port that the kernel chose is given back before the end is told.
	if (happened == CLOSED && !record->port)
		record->port = __builtin_bswap16(READ((struct inet_sock *)sk, inet_sport));
	record->only_v6 = 0;
	if (record->family == AF_INET6) {
		__u8 bits[2] = {};
		bpf_probe_read_kernel(bits, 2, __builtin_preserve_access_index(&sk->__sk_common.skc_state));
		record->only_v6 = !!(bits[1] & ONLY_V6);
		bpf_probe_read_kernel(record->address, 16, __builtin_preserve_access_index(&sk->__sk_common.skc_v6_rcv_saddr));
	}
	submit(record);
}

inline_always int is_datagram(__u32 protocol) { return protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE; }
inline_always int has_ports(__u32 family) { return family == AF_INET || family == AF_INET6; }

// A TCP socket that Multipath TCP made for itself: what a process has open is told of instead.
inline_always int is_subflow(struct sock *sk)
{
	if (READ(sk, sk_protocol) != IPPROTO_TCP) return 0;
	const struct tcp_ulp_ops *above = READ((struct inet_connection_sock *)sk, icsk_ulp_ops);
	char name[8] = {};
	if (!above || bpf_probe_read_kernel(name, 8, __builtin_preserve_access_index(&above->name))) return 0;
	return name[0] == 'm' && name[1] == 'p' && name[2] == 't' && name[3] == 'c' && name[4] == 'p';
}

// listen(2), and its end. Connections go from LISTEN to SYN_RECV: those are none of both.
SEC("tp_btf/inet_sock_set_state")
int state_changes(__u64 *context)
{
	struct sock *sk = (struct sock *)context[0];
	int before = (int)context[1], after = (int)context[2];
	if (after == TCP_LISTEN || (before == TCP_LISTEN && after == TCP_CLOSE)) {
		if (!is_subflow(sk)) tell(after == TCP_LISTEN ? LISTENING : CLOSED, sk, bpf_get_socket_cookie(sk));
	} else if (after == TCP_SYN_SENT && READ(sk, __sk_common.skc_num)) {
		// It has a port before the kernel chose one for the connection: it was bound.
		bpf_sk_storage_get(&marks, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	}
	return 0;
}

// Kernels before 6.2 do not show programs of control groups the socket itself, but some members of it. Its namespace is
// that of who acts, nearly always; the end has only the cookie.
inline_always struct socket_record *begin_outside(__u8 happened, struct bpf_sock *seen, __u64 cookie)
{
	struct socket_record *record = begin(happened);
	if (!record) return 0;
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	record->cookie = cookie;
	record->family = seen->family;
	record->protocol = seen->protocol;
	record->netns = READ(READ(READ(task, nsproxy), net_ns), ns.inum);
	record->state = record->only_v6 = record->port = record->interface = 0;
	*(__u64 *)record->address = *(__u64 *)(record->address + 8) = 0;
	return record;
}

SEC("cgroup/post_bind4")
int binds4(struct bpf_sock *context)
{
	__u64 cookie = bpf_get_socket_cookie(context);
	if (bpf_cast_to_kern_ctx) {
		struct sock *sk = bpf_cast_to_kern_ctx(context);
		if (!is_subflow(sk)) tell(BOUND, sk, cookie);
		return 1;
	}
	struct socket_record *record = begin_outside(BOUND, context, cookie);
	if (!record) return 1;
	record->port = context->src_port;
	*(__u32 *)record->address = context->src_ip4;
	submit(record);
	return 1;
}

SEC("cgroup/post_bind6")
int binds6(struct bpf_sock *context)
{
	__u64 cookie = bpf_get_socket_cookie(context);
	if (bpf_cast_to_kern_ctx) {
		struct sock *sk = bpf_cast_to_kern_ctx(context);
		if (!is_subflow(sk)) tell(BOUND, sk, cookie);
		return 1;
	}
	struct socket_record *record = begin_outside(BOUND, context, cookie);
	if (!record) return 1;
	__u32 *words = (__u32 *)record->address;
	record->port = context->src_port;
	words[0] = context->src_ip6[0];
	words[1] = context->src_ip6[1];
	words[2] = context->src_ip6[2];
	words[3] = context->src_ip6[3];
	submit(record);
	return 1;
}

inline_always int tell_chosen(struct bpf_sock_addr *context, struct bpf_sock *seen)
{
	__u64 cookie = bpf_get_socket_cookie(context);
	if (!bpf_sk_storage_get(&marks, seen, 0, BPF_SK_STORAGE_GET_F_CREATE)) {
		lose();
		return 1;
	}
	if (bpf_cast_to_kern_ctx) {
		tell(AUTO_BOUND, READ((struct bpf_sock_addr_kern *)bpf_cast_to_kern_ctx(context), sk), cookie);
		return 1;
	}
	__u32 port = seen->src_port;
	struct socket_record *record = begin_outside(AUTO_BOUND, seen, cookie);
	if (!record) return 1;
	record->port = port;
	submit(record);
	return 1;
}

// The kernel has chosen a port by now, if there was none.
inline_always int sent(struct bpf_sock_addr *context)
{
	struct bpf_sock *seen = context->sk;
	if (!seen || bpf_sk_storage_get(&marks, seen, 0, 0)) return 1;
	return tell_chosen(context, seen);
}

SEC("cgroup/sendmsg4")
int sends4(struct bpf_sock_addr *context) { return sent(context); }

SEC("cgroup/sendmsg6")
int sends6(struct bpf_sock_addr *context) { return sent(context); }

// The kernel chooses a port right after this, if there is none: the end tells which, or the reader looks.
inline_always int connects(struct bpf_sock_addr *context)
{
	if (!is_datagram(context->protocol)) return 1;
	struct bpf_sock *seen = context->sk;
	if (!seen || seen->src_port || bpf_sk_storage_get(&marks, seen, 0, 0)) return 1;
	return tell_chosen(context, seen);
}

SEC("cgroup/connect4")
int connects4(struct bpf_sock_addr *context) { return connects(context); }

SEC("cgroup/connect6")
int connects6(struct bpf_sock_addr *context) { return connects(context); }

// The end of what was bound: the end of listening is told above.
SEC("cgroup/sock_release")
int ends(struct bpf_sock *context)
{
	__u32 protocol = context->protocol;
	if (!has_ports(context->family) || (protocol != IPPROTO_TCP && !is_datagram(protocol))) return 1;
	__u32 state = context->state;
	if (protocol == IPPROTO_TCP && state == TCP_LISTEN) return 1;
	__u64 cookie = bpf_get_socket_cookie(context);
	// Bound it is told of at its end, as far as that shows; else the mark says so.
	int told = protocol != IPPROTO_TCP || state == TCP_CLOSE;
	if (bpf_cast_to_kern_ctx) {
		struct sock *sk = bpf_cast_to_kern_ctx(context);
		told = told && READ(sk, __sk_common.skc_num);
		if (told || bpf_sk_storage_get(&marks, context, 0, 0)) tell(CLOSED, sk, cookie);
		return 1;
	}
	if (!told && !bpf_sk_storage_get(&marks, context, 0, 0)) return 1;
	struct socket_record *record = begin_outside(CLOSED, context, cookie);
	if (record) submit(record);
	return 1;
}

_Static_assert(sizeof(struct socket_record) == 104, "the reader counts on it");
_Static_assert(sizeof(struct process_record) == 64 + 160 + 2304 + 1280 + 4096, "the reader counts on it");
