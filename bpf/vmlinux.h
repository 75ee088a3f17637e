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
#define BPF_F_MMAPABLE (1 << 10)

#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))
#define inline_always static inline __attribute__((always_inline))

struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; __u64 session_id; __u64 seq_num; } CORE;

struct ns_common { unsigned int inum; } CORE;
struct net { struct ns_common ns; } CORE;
struct nsproxy { struct net *net_ns; } CORE;

struct upid { int nr; } CORE;
struct pid { unsigned int level; struct upid numbers[1]; } CORE;

struct inode { unsigned long i_ino; } CORE;
struct file_operations;
struct file { const struct file_operations *f_op; void *private_data; struct inode *f_inode; } CORE;
struct kiocb { struct file *ki_filp; } CORE;
struct fdtable { unsigned int max_fds; struct file **fd; } CORE;
struct files_struct { struct fdtable *fdt; } CORE;

struct task_struct {
	int pid;
	int tgid;
	__u64 start_boottime;
	struct task_struct *group_leader;
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

// Helpers by their number in the kernel's stable list (include/uapi/linux/bpf.h).
static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static __u64 (*bpf_get_current_task)(void) = (void *)35;
static long (*bpf_probe_read_kernel)(void *dst, __u32 size, const void *src) = (void *)113;
static long (*bpf_seq_write)(struct seq_file *to, const void *data, __u32 bytes) = (void *)127;
static long (*bpf_loop)(__u32 iterations, void *callback, void *context, __u64 flags) = (void *)181;

// A pointer as one that is read in place, without a call: a bad one gives zero. Kernels before 6.2 cannot; there the
// loader makes the function's address 0.
extern void *bpf_rdonly_cast(const void *pointer, __u32 type) __attribute__((weak, section(".ksyms")));
#define AS(type, pointer) ((type *)bpf_rdonly_cast(pointer, __builtin_btf_type_id(*(type *)0, 1 /* BPF_TYPE_ID_TARGET */)))

// Reads one member, wherever this kernel keeps it; a bad pointer gives zero.
#define READ(source, member) ({ \
	__typeof__(source) source__ = (source); \
	__typeof__(source__->member) value__; \
	bpf_probe_read_kernel(&value__, sizeof(value__), __builtin_preserve_access_index(&source__->member)); \
	value__; \
})
