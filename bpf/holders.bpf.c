// Who has which socket open: walks every process's descriptor table inside the kernel and writes one record for each
// socket in it, and one for each process. Works across all network namespaces; needs no /proc.
//
// The records go to an array that the reader maps into memory, not to the iterator's own output: that holds 32 KiB
// for one process, and a process may have more sockets than fit there.
#include "vmlinux.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define AF_INET 2
#define AF_INET6 10
#define AF_PACKET 17
#define IPPROTO_TCP 6
#define TCP_LISTEN 10
#define TCP_CLOSE 7

enum record_kind { RECORD_TASK = 1, RECORD_SOCKET = 2 };

// Mirrored in crates/wire/src/holder_record.rs: same order, same sizes; 64 bytes.
struct record {
	__u64 inode;      // task: start since boot in ns
	__u64 cookie;     // detail
	__u32 tgid;
	__u32 tid;
	__u32 fd;
	__u32 netns;
	__u32 interface;  // detail
	__u16 family;
	__u16 protocol;   // detail
	__u16 port;       // host order; detail for packet: EtherType
	__u16 peer_port;  // host order
	__u8 state;
	__u8 kind;
	__u8 type;
	__u8 pad;
	__u8 address[16]; // detail; task: its short name
};

// Shared with the reader, who sets it before each walk. Mirrored in crates/wire/src/holder_record.rs.
volatile struct {
	__u64 found;          // how many records there were, whether or not they fitted
	__u32 own_socket_fd;  // one descriptor of the reader's that is a socket
	__u16 want_connected; // whether connected sockets are wanted
	__u16 want_details;   // whether the members marked "detail" are wanted: each costs a cache line per socket
} control = {};

// More than the kernel lets any process have (fs.nr_open is at most 2^30, by default 2^20).
#define MAX_FDS (1 << 23)

struct {
	int (*type)[BPF_MAP_TYPE_ARRAY];
	int (*map_flags)[BPF_F_MMAPABLE];
	int (*max_entries)[1]; // the loader sets how many
	__u32 *key;
	struct record *value;
} records SEC(".maps");

struct walk {
	struct file **table;
	const struct file_operations *socket_operations;
	__u32 max_fds;
	__u32 tgid;
	__u32 tid;
	// The network namespace of the last socket: most often that of the next one.
	struct net *net;
	__u32 netns;
};

inline_always struct record *next_record(void)
{
	__u32 at = control.found++;
	return bpf_map_lookup_elem(&records, &at);
}

// The number of a task in the reader's own PID namespace; 0 where it has none there.
inline_always __u32 number_here(struct task_struct *task, __u32 level)
{
	struct pid *pid = READ(task, thread_pid);
	if (!pid || READ(pid, level) < level) return 0;
	// One entry per level, each as large as this kernel says.
	const char *entries = (const char *)__builtin_preserve_access_index(&pid->numbers[0]);
	__u64 entry_bytes = __builtin_preserve_field_info(pid->numbers[0], 1 /* BPF_FIELD_BYTE_SIZE */);
	return READ((struct upid *)(entries + level * entry_bytes), nr);
}

inline_always __u32 reader_level(void)
{
	struct task_struct *reader = (struct task_struct *)bpf_get_current_task();
	struct pid *pid = READ(reader, thread_pid);
	return pid ? READ(pid, level) : 0;
}

inline_always void write_details(struct record *record, struct sock *sk)
{
	record->protocol = READ(sk, sk_protocol);
	record->cookie = READ(sk, __sk_common.skc_cookie.counter);
	if (record->family == AF_PACKET) {
		record->port = __builtin_bswap16(READ((struct packet_sock *)sk, num));
		record->interface = READ((struct packet_sock *)sk, ifindex);
		return;
	}
	record->interface = READ(sk, __sk_common.skc_bound_dev_if);
	if (record->family == AF_INET6)
		*(struct in6_addr *)record->address = READ(sk, __sk_common.skc_v6_rcv_saddr);
	else
		*(__u32 *)record->address = READ(sk, __sk_common.skc_rcv_saddr);
}

// What a descriptor leads to, as far as every walk needs it.
struct seen {
	struct sock *sk;
	__u64 inode;
	__u32 netns;
	__u16 family;
	__u16 port;      // host order
	__u16 peer_port; // network order
	__u8 state;
	__u8 type;
};

inline_always int is_wanted(__u16 family, __u16 port, __u8 state)
{
	if (family != AF_INET && family != AF_INET6) return family == AF_PACKET;
	return port && (control.want_connected || state == TCP_LISTEN || state == TCP_CLOSE);
}

inline_always void write_socket(struct walk *walk, __u32 fd, const struct seen *seen)
{
	struct record *record = next_record();
	if (!record) return;
	int ported = seen->family != AF_PACKET;
	record->kind = RECORD_SOCKET;
	record->family = seen->family;
	record->state = seen->state;
	record->port = ported ? seen->port : 0;
	record->peer_port = ported ? __builtin_bswap16(seen->peer_port) : 0;
	record->type = seen->type;
	record->inode = seen->inode;
	record->netns = seen->netns;
	record->tgid = walk->tgid;
	record->tid = walk->tid;
	record->fd = fd;
	if (control.want_details) {
		write_details(record, seen->sk);
	} else {
		// The entry may hold an earlier walk's.
		record->cookie = record->interface = record->protocol = 0;
	}
}

// Reads in place. Most of a walk is waiting for memory, and without calls in between the processor waits for that of
// many sockets at once.
static int read_in_place(__u32 fd, struct walk *walk)
{
	if (fd >= walk->max_fds) return 1;
	// The verifier knows no pointer to a pointer, so the entry is taken for a structure with a file's pointer in it.
	const char *entry = (const char *)(walk->table + fd);
	__u64 at = __builtin_preserve_field_info(((struct kiocb *)0)->ki_filp, 0 /* BPF_FIELD_BYTE_OFFSET */);
	struct file *file = AS(struct kiocb, entry - at)->ki_filp;
	if (!file || file->f_op != walk->socket_operations) return 0;
	struct socket *socket = AS(struct socket, file->private_data);
	struct sock *sk = socket->sk;
	if (!sk) return 0;
	struct seen seen = {};
	seen.family = sk->__sk_common.skc_family;
	seen.port = sk->__sk_common.skc_num;
	seen.state = sk->__sk_common.skc_state;
	if (!is_wanted(seen.family, seen.port, seen.state)) return 0;
	seen.sk = sk;
	seen.peer_port = sk->__sk_common.skc_dport;
	seen.type = socket->type;
	seen.inode = file->f_inode->i_ino;
	seen.netns = sk->__sk_common.skc_net.net->ns.inum;
	write_socket(walk, fd, &seen);
	return 0;
}

// The cache line that every kind of socket begins with.
struct line { __u8 bytes[64]; };
#define IN_LINE(line, member) \
	(*(__typeof__(((struct sock *)0)->__sk_common.member) *)((line)->bytes + \
		__builtin_preserve_field_info(((struct sock *)0)->__sk_common.member, 0 /* BPF_FIELD_BYTE_OFFSET */)))

// The same with a call for each member, for kernels that cannot read in place (before 6.2).
static int read_by_copy(__u32 fd, struct walk *walk)
{
	struct file *file = 0;
	if (fd >= walk->max_fds || bpf_probe_read_kernel(&file, sizeof(file), walk->table + fd)) return 1;
	if (!file || READ(file, f_op) != walk->socket_operations) return 0;
	struct socket *socket = READ(file, private_data);
	struct seen seen = {};
	seen.sk = READ(socket, sk);
	struct line line;
	if (!seen.sk || bpf_probe_read_kernel(&line, sizeof(line), seen.sk)) return 0;
	seen.family = IN_LINE(&line, skc_family);
	seen.port = IN_LINE(&line, skc_num);
	seen.state = IN_LINE(&line, skc_state);
	if (!is_wanted(seen.family, seen.port, seen.state)) return 0;
	struct net *net = IN_LINE(&line, skc_net.net);
	if (net != walk->net) {
		walk->net = net;
		walk->netns = READ(net, ns.inum);
	}
	seen.netns = walk->netns;
	seen.peer_port = IN_LINE(&line, skc_dport);
	seen.type = READ(socket, type);
	seen.inode = READ(READ(file, f_inode), i_ino);
	write_socket(walk, fd, &seen);
	return 0;
}

// What every file that is a socket has as its operations: read from a socket of the reader's own.
inline_always const struct file_operations *socket_operations(void)
{
	struct task_struct *reader = (struct task_struct *)bpf_get_current_task();
	struct file **table = READ(READ(READ(reader, files), fdt), fd);
	struct file *file = 0;
	bpf_probe_read_kernel(&file, sizeof(file), table + control.own_socket_fd);
	return READ(file, f_op);
}

// Kernels with bpf_loop() (5.17): one pass over tasks, tables read directly.
SEC("iter/task")
int holders(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	if (!task) return 0;
	struct task_struct *leader = READ(task, group_leader);
	struct files_struct *files = READ(task, files);
	// A thread is of interest only where it has a descriptor table of its own.
	if (task != leader && (!files || files == READ(leader, files))) return 0;
	__u32 level = reader_level();
	struct walk walk = {};
	walk.tgid = level ? number_here(leader, level) : READ(task, tgid);
	walk.tid = level ? number_here(task, level) : READ(task, pid);
	if (!walk.tgid) return 0;
	if (task == leader) {
		struct record *record = next_record();
		if (record) {
			struct nsproxy *nsproxy = READ(task, nsproxy);
			record->kind = RECORD_TASK;
			record->inode = READ(task, start_boottime);
			record->tgid = walk.tgid;
			record->tid = walk.tid;
			bpf_probe_read_kernel(record->address, 16, __builtin_preserve_access_index(&task->comm));
			record->netns = nsproxy ? READ(READ(nsproxy, net_ns), ns.inum) : 0;
		}
	}
	struct fdtable *table = files ? READ(files, fdt) : 0;
	if (!table) return 0;
	walk.max_fds = READ(table, max_fds);
	walk.table = READ(table, fd);
	walk.socket_operations = socket_operations();
	__u32 most = walk.max_fds < MAX_FDS ? walk.max_fds : MAX_FDS;
	if (bpf_rdonly_cast)
		bpf_loop(most, read_in_place, &walk, 0);
	else
		bpf_loop(most, read_by_copy, &walk, 0);
	return 0;
}

_Static_assert(sizeof(struct record) == 64, "the reader counts on it");
