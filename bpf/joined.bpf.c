// Which sockets joined which multicast groups: goes through every file of every process, and writes a record for each
// membership of a socket and one for each source of it. Works across all network namespaces, and finds sockets that
// are not bound, which no table of sockets has.
#include "vmlinux.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define AF_INET 2
#define AF_INET6 10

// More than any sysctl is set to (net.ipv4.igmp_max_memberships is 20 by default, igmp_max_msf 10).
#define MAX_MEMBERSHIPS (1 << 16)
#define MAX_SOURCES (1 << 12)

struct in_addr { __u32 s_addr; } CORE;
struct ip_mreqn { struct in_addr imr_multiaddr; int imr_ifindex; } CORE;
struct ip_sf_socklist { unsigned int sl_count; __u32 sl_addr[1]; } CORE;
struct ip_mc_socklist {
	struct ip_mc_socklist *next_rcu;
	struct ip_mreqn multi;
	unsigned int sfmode;
	struct ip_sf_socklist *sflist;
} CORE;
struct ip6_sf_socklist { unsigned int sl_count; struct in6_addr sl_addr[1]; } CORE;
struct ipv6_mc_socklist {
	struct in6_addr addr;
	int ifindex;
	unsigned int sfmode;
	struct ipv6_mc_socklist *next;
	struct ip6_sf_socklist *sflist;
} CORE;
struct ipv6_pinfo { struct ipv6_mc_socklist *ipv6_mc_list; } CORE;
struct inet_sock { struct ipv6_pinfo *pinet6; struct ip_mc_socklist *mc_list; } CORE;

enum record_kind { RECORD_MEMBERSHIP = 1, RECORD_SOURCE = 2 };

// Mirrored in crates/wire/src/joined_record.rs: same order, same sizes; 64 bytes.
struct record {
	__u64 inode;
	__u64 cookie;
	__u32 netns;
	__u32 interface;
	__u16 family;
	__u16 port;  // host order
	__u8 kind;
	__u8 mode;   // MCAST_EXCLUDE 0, MCAST_INCLUDE 1
	__u16 pad;
	__u8 group[16];
	__u8 source[16];
};

// Mirrored in crates/wire/src/joined_record.rs.
volatile struct {
	__u64 found; // how many records there were, whether or not they fitted
} control = {};

struct {
	int (*type)[BPF_MAP_TYPE_ARRAY];
	int (*map_flags)[BPF_F_MMAPABLE];
	int (*max_entries)[1]; // the loader sets how many
	__u32 *key;
	struct record *value;
} records SEC(".maps");

struct walk {
	struct record record;
	void *next; // membership
	const char *sources;
	__u32 count;
};

inline_always void write_record(const struct walk *walk, __u8 kind)
{
	__u32 at = control.found++;
	struct record *record = bpf_map_lookup_elem(&records, &at);
	if (!record) return;
	*record = walk->record;
	record->kind = kind;
}

static int write_source(__u32 at, struct walk *walk)
{
	if (at >= walk->count) return 1;
	if (walk->record.family == AF_INET)
		bpf_probe_read_kernel(walk->record.source, 4, walk->sources + at * 4UL);
	else
		bpf_probe_read_kernel(walk->record.source, 16, walk->sources + at * 16UL);
	write_record(walk, RECORD_SOURCE);
	return 0;
}

static int write_v4(__u32 at, struct walk *walk)
{
	struct ip_mc_socklist *entry = walk->next;
	if (!entry) return 1;
	walk->next = READ(entry, next_rcu);
	*(__u32 *)walk->record.group = READ(entry, multi.imr_multiaddr.s_addr);
	walk->record.interface = READ(entry, multi.imr_ifindex);
	walk->record.mode = READ(entry, sfmode);
	write_record(walk, RECORD_MEMBERSHIP);
	struct ip_sf_socklist *list = READ(entry, sflist);
	if (!list) return 0;
	walk->count = READ(list, sl_count);
	walk->sources = (const char *)__builtin_preserve_access_index(&list->sl_addr);
	bpf_loop(MAX_SOURCES, write_source, walk, 0);
	return 0;
}

static int write_v6(__u32 at, struct walk *walk)
{
	struct ipv6_mc_socklist *entry = walk->next;
	if (!entry) return 1;
	walk->next = READ(entry, next);
	*(struct in6_addr *)walk->record.group = READ(entry, addr);
	walk->record.interface = READ(entry, ifindex);
	walk->record.mode = READ(entry, sfmode);
	write_record(walk, RECORD_MEMBERSHIP);
	struct ip6_sf_socklist *list = READ(entry, sflist);
	if (!list) return 0;
	walk->count = READ(list, sl_count);
	walk->sources = (const char *)__builtin_preserve_access_index(&list->sl_addr);
	bpf_loop(MAX_SOURCES, write_source, walk, 0);
	return 0;
}

SEC("iter/task_file")
int joined(struct bpf_iter__task_file *context)
{
	struct file *file = context->file;
	if (!file) return 0;
	struct socket *socket = READ(file, private_data);
	// Only a socket points back to its file.
	if (!socket || READ(socket, file) != file) return 0;
	struct sock *sk = READ(socket, sk);
	if (!sk) return 0;
	__u16 family = READ(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6) return 0;
	struct ip_mc_socklist *v4 = READ((struct inet_sock *)sk, mc_list);
	struct ipv6_pinfo *v6 = READ((struct inet_sock *)sk, pinet6);
	struct ipv6_mc_socklist *v6_list = family == AF_INET6 && v6 ? READ(v6, ipv6_mc_list) : 0;
	if (!v4 && !v6_list) return 0;
	struct walk walk = {};
	walk.record.inode = READ(READ(file, f_inode), i_ino);
	walk.record.cookie = READ(sk, __sk_common.skc_cookie.counter);
	walk.record.netns = READ(READ(sk, __sk_common.skc_net.net), ns.inum);
	walk.record.port = READ(sk, __sk_common.skc_num);
	// A socket of IPv6 may join groups of IPv4, too.
	walk.record.family = AF_INET;
	walk.next = v4;
	bpf_loop(MAX_MEMBERSHIPS, write_v4, &walk, 0);
	walk.record.family = AF_INET6;
	walk.next = v6_list;
	bpf_loop(MAX_MEMBERSHIPS, write_v6, &walk, 0);
	return 0;
}

_Static_assert(sizeof(struct record) == 64, "the reader counts on it");
