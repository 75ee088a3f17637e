// The kernel types that our programs read, written by hand: only names and members matter, because every offset is
// relocated against the running kernel's own type information (CO-RE) when a program is loaded.
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef int __s32;
typedef long long __s64;

#define BPF_MAP_TYPE_ARRAY 2
#define BPF_MAP_TYPE_LRU_HASH 9
#define BPF_MAP_TYPE_SK_STORAGE 24
#define BPF_MAP_TYPE_RINGBUF 27
#define BPF_F_NO_PREALLOC 1
#define BPF_F_MMAPABLE (1 << 10)

#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))
#define inline_always static inline __attribute__((always_inline))

struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; __u64 session_id; __u64 seq_num; } CORE;

struct ns_common { unsigned int inum; } CORE;
struct net { struct ns_common ns; } CORE;
struct nsproxy { struct net *net_ns; } CORE;

struct pid_namespace { struct ns_common ns; } CORE;
struct upid { int nr; struct pid_namespace *ns; } CORE;
struct pid { unsigned int level; struct upid numbers[1]; } CORE;

struct super_block { __u32 s_dev; } CORE;
struct inode { unsigned long i_ino; unsigned int i_nlink; struct super_block *i_sb; } CORE;
struct qstr { const unsigned char *name; } CORE;
struct hlist_bl_node { struct hlist_bl_node **pprev; } CORE;
struct dentry { struct hlist_bl_node d_hash; struct dentry *d_parent; struct qstr d_name; } CORE;
struct vfsmount { struct dentry *mnt_root; } CORE;
struct mount { struct mount *mnt_parent; struct dentry *mnt_mountpoint; struct vfsmount mnt; } CORE;
struct path { struct vfsmount *mnt; struct dentry *dentry; } CORE;
struct file_operations;
struct file {
	const struct file_operations *f_op;
	void *private_data;
	struct inode *f_inode;
	struct path f_path;
} CORE;
struct mm_struct { unsigned long arg_start; unsigned long arg_end; struct file *exe_file; } CORE;
typedef struct { unsigned int val; } kuid_t;
struct cred { kuid_t euid; } CORE;
// The parent has its second name from Linux 6.15 on.
struct kernfs_node { struct kernfs_node *parent; struct kernfs_node *__parent; const char *name; } CORE;
struct cgroup { struct kernfs_node *kn; } CORE;
struct css_set { struct cgroup *dfl_cgrp; } CORE;
struct kiocb { struct file *ki_filp; } CORE;
struct fdtable { unsigned int max_fds; struct file **fd; } CORE;
struct files_struct { struct fdtable *fdt; } CORE;

struct task_struct {
	int pid;
	int tgid;
	__u64 start_boottime;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct mm_struct *mm;
	struct cred *cred;
	struct css_set *cgroups;
	__u32 self_exec_id;
	unsigned int flags;
	struct pid *thread_pid;
	struct nsproxy *nsproxy;
	struct files_struct *files;
	char comm[16];
} CORE;

struct in6_addr { __u8 bytes[16]; };
typedef struct { struct net *net; } possible_net_t;
struct sock_common {
	__u32 skc_daddr;
	__u32 skc_rcv_saddr;
	__u16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	struct { long long counter; } skc_cookie;
} CORE;
struct sk_buff { struct sk_buff *next; char cb[48]; } CORE;
struct sk_buff_head { struct sk_buff *next; } CORE;
struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	__u16 sk_protocol;
	struct socket *sk_socket;
	void *sk_user_data;
} CORE;
struct socket { short type; struct file *file; struct sock *sk; } CORE;
struct tcp_ulp_ops { char name[16]; } CORE;
struct inet_connection_sock { const struct tcp_ulp_ops *icsk_ulp_ops; } CORE;
struct bpf_sock_addr_kern { struct sock *sk; } CORE;
struct packet_sock { __u16 num; int ifindex; } CORE;

struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; } CORE;
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
} CORE;
struct bpf_iter__tcp { struct bpf_iter_meta *meta; struct sock_common *sk_common; } CORE;
struct udp_sock;
struct bpf_iter__udp { struct bpf_iter_meta *meta; struct udp_sock *udp_sk; } CORE;
struct unix_sock;
struct bpf_iter__unix { struct bpf_iter_meta *meta; struct unix_sock *unix_sk; } CORE;
struct scm_fp_list { short count; struct file *fp[1]; } CORE;
struct unix_skb_parms { struct scm_fp_list *fp; } CORE;

// What cgroup programs are given (include/uapi/linux/bpf.h): this is a promise to programs, and is not relocated.
struct bpf_sock {
	__u32 bound_dev_if;
	__u32 family;
	__u32 type;
	__u32 protocol;
	__u32 mark;
	__u32 priority;
	__u32 src_ip4;
	__u32 src_ip6[4];
	__u32 src_port; // host order
	__u16 dst_port;
	__u16 pad;
	__u32 dst_ip4;
	__u32 dst_ip6[4];
	__u32 state;
};
struct bpf_sock_addr {
	__u32 user_family;
	__u32 user_ip4;
	__u32 user_ip6[4];
	__u32 user_port;
	__u32 family;
	__u32 type;
	__u32 protocol;
	__u32 msg_src_ip4;
	__u32 msg_src_ip6[4];
	struct bpf_sock *sk __attribute__((aligned(8)));
};

// Helpers by their number in the kernel's stable list (include/uapi/linux/bpf.h).
static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static __u64 (*bpf_get_current_task)(void) = (void *)35;
static long (*bpf_probe_read_kernel)(void *dst, __u32 size, const void *src) = (void *)113;
static long (*bpf_seq_write)(struct seq_file *to, const void *data, __u32 bytes) = (void *)127;
static long (*bpf_loop)(__u32 iterations, void *callback, void *context, __u64 flags) = (void *)181;

static long (*bpf_get_current_comm)(void *buffer, __u32 bytes) = (void *)16;
static __u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static __u64 (*bpf_get_current_uid_gid)(void) = (void *)15;
static long (*bpf_map_update_elem)(void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static __u64 (*bpf_get_socket_cookie)(void *context) = (void *)46;
static __u64 (*bpf_get_current_cgroup_id)(void) = (void *)80;
static void *(*bpf_sk_storage_get)(void *map, void *socket, void *value, __u64 flags) = (void *)107;
static long (*bpf_probe_read_user)(void *dst, __u32 size, const void *src) = (void *)112;
static long (*bpf_probe_read_kernel_str)(void *dst, __u32 size, const void *src) = (void *)115;
static __u64 (*bpf_ktime_get_boot_ns)(void) = (void *)125;
static void *(*bpf_ringbuf_reserve)(void *ring, __u64 size, __u64 flags) = (void *)131;
static void (*bpf_ringbuf_submit)(void *data, __u64 flags) = (void *)132;
static __u64 (*bpf_ringbuf_query)(void *ring, __u64 flags) = (void *)134;

// A pointer as one that is read in place, without a call: a bad one gives zero. Kernels before 6.2 cannot; there the
// loader makes the function's address 0.
extern void *bpf_rdonly_cast(const void *pointer, __u32 type) __attribute__((weak, section(".ksyms")));
#define AS(type, pointer) ((type *)bpf_rdonly_cast(pointer, __builtin_btf_type_id(*(type *)0, 1 /* BPF_TYPE_ID_TARGET */)))

// What a program is given, as the kernel itself has it (Linux 6.2).
extern void *bpf_cast_to_kern_ctx(void *context) __attribute__((weak, section(".ksyms")));

// Reads one member, wherever this kernel keeps it; a bad pointer gives zero.
#define READ(source, member) ({ \
	__typeof__(source) source__ = (source); \
	__typeof__(source__->member) value__; \
	bpf_probe_read_kernel(&value__, sizeof(value__), __builtin_preserve_access_index(&source__->member)); \
	value__; \
})
