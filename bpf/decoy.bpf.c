// Empty ports: who comes to a port that nobody has is reported, and where that is wanted led to a socket of ours.
//
// The kernel asks `choose` before it looks for listeners of its own, so a table says which ports somebody has: filled by
// the reader from the kernel's dump, and kept by the hooks below, which see each bind before it has happened and each
// close. A port with any socket, on whatever address, is let through.
#include "vmlinux.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define BPF_MAP_TYPE_HASH 1
#define BPF_MAP_TYPE_LPM_TRIE 11
#define BPF_MAP_TYPE_SOCKMAP 15
#define BPF_NOEXIST 1

#define AF_INET 2
#define AF_INET6 10
#define TCP 6
#define UDP 17
#define PASS 1

// The contexts and helpers of include/uapi/linux/bpf.h: their layout is the kernel's promise.
struct bound_socket {
	__u32 bound_dev_if;
	__u32 family;
	__u32 type;
	__u32 protocol;
	__u32 mark;
	__u32 priority;
	__u32 src_ip4;
	__u32 src_ip6[4];
	__u32 src_port;
};
struct lookup {
	__u64 cookie;
	__u32 family;
	__u32 protocol;
	__u32 remote_ip4;
	__u32 remote_ip6[4];
	__u16 remote_port; // in network byte order
	__u16 unused;
	__u32 local_ip4;
	__u32 local_ip6[4];
	__u32 local_port;
	__u32 ingress_ifindex;
};
static long (*map_update)(void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static long (*map_delete)(void *map, const void *key) = (void *)3;
static __u64 (*clock_ns)(void) = (void *)5;
static __u64 (*socket_cookie)(void *context) = (void *)46;
static long (*release)(void *socket) = (void *)86;
static __u64 (*netns_cookie)(void *context) = (void *)122;
static long (*assign)(struct lookup *context, struct bound_socket *socket, __u64 flags) = (void *)124;
static long (*report)(void *ring, const void *record, __u64 bytes, __u64 flags) = (void *)130;

// What is known of a port: index is the port, and for UDP 65536 more. Mirrored in crates/host/src/linux/decoy/table.rs.
struct place {
	__u32 holders; // sockets that have it
	__u32 level;   // 0: none of ours; else what to do with who comes
};
#define REPORT 1
#define ANSWER 2
struct {
	int (*type)[BPF_MAP_TYPE_ARRAY];
	int (*max_entries)[131072];
	int (*map_flags)[BPF_F_MMAPABLE];
	__u32 *key;
	struct place *value;
} places SEC(".maps");

// Which place each socket has, by the kernel's name for the socket: at its end it has no port any more.
struct {
	int (*type)[BPF_MAP_TYPE_HASH];
	int (*max_entries)[131072];
	__u64 *key;
	__u32 *value;
} held SEC(".maps");

// Sources that are none of our business (1), and those among them that are (0); IPv4 as ::ffff:0:0/96.
struct source {
	__u32 bits;
	__u8 address[16];
};
struct {
	int (*type)[BPF_MAP_TYPE_LPM_TRIE];
	int (*max_entries)[4096];
	int (*map_flags)[BPF_F_NO_PREALLOC];
	struct source *key;
	__u32 *value;
} excluded SEC(".maps");

// The sockets that answer: TCP and UDP of IPv4, then those of IPv6.
struct {
	int (*type)[BPF_MAP_TYPE_SOCKMAP];
	int (*max_entries)[4];
	__u32 *key;
	__u32 *value;
} answering SEC(".maps");

struct {
	int (*type)[BPF_MAP_TYPE_RINGBUF];
	int (*max_entries)[1 << 22];
} knocks SEC(".maps");

// What became of packets to the ports that we look after, and of the table. Mirrored in
// crates/host/src/linux/decoy/table.rs, same order.
struct counts {
	__u64 netns;       // written by the reader: the namespace's cookie
	__u64 reported;
	__u64 unreported;  // there was no room in the ring
	__u64 answered;
	__u64 unanswered;  // our socket did not take it
	__u64 passed;      // somebody has the port
	__u64 excluded;
	__u64 untold;      // sockets that did not fit into `held`: their ports stay taken
};
struct {
	int (*type)[BPF_MAP_TYPE_ARRAY];
	int (*max_entries)[1];
	int (*map_flags)[BPF_F_MMAPABLE];
	__u32 *key;
	struct counts *value;
} counts SEC(".maps");

// Mirrored in crates/wire/src/knock_record.rs: same order, same sizes; 48 bytes.
struct knock {
	__u64 at_ns;
	__u8 protocol;
	__u8 answered;
	__u16 local_port;
	__u16 remote_port;
	__u16 unused;
	__u32 remote[4]; // in network byte order
	__u32 local[4];
};

inline_always void count(__u64 *number)
{
	__sync_fetch_and_add(number, 1);
}

// An address of IPv4 as IPv6 writes it.
#define MAPPED 0xffff0000 // 0:ffff in network byte order, read on a little-endian machine

// The verifier lets a context be read at fixed places only: the compiler must not make one read of two branches'.
#define STAYS(branch) asm volatile("# " branch ::: "memory")

SEC("sk_lookup")
int choose(struct lookup *context)
{
	__u32 protocol = context->protocol;
	__u32 port = context->local_port;
	if ((protocol != TCP && protocol != UDP) || port > 65535) return PASS;
	__u32 index = protocol == UDP ? 65536 + port : port;
	struct place *place = bpf_map_lookup_elem(&places, &index);
	if (!place) return PASS;
	__u32 level = place->level;
	if (!level) return PASS;
	__u32 zero = 0;
	struct counts *counted = bpf_map_lookup_elem(&counts, &zero);
	if (!counted) return PASS;
	if (place->holders) {
		count(&counted->passed);
		return PASS;
	}

	struct knock knock = {};
	struct source source = {};
	source.bits = 128;
	__u32 family = context->family;
	if (family == AF_INET) {
		knock.remote[2] = MAPPED;
		knock.remote[3] = context->remote_ip4;
		knock.local[2] = MAPPED;
		knock.local[3] = context->local_ip4;
		STAYS("v4");
	} else {
		knock.remote[0] = context->remote_ip6[0];
		knock.remote[1] = context->remote_ip6[1];
		knock.remote[2] = context->remote_ip6[2];
		knock.remote[3] = context->remote_ip6[3];
		knock.local[0] = context->local_ip6[0];
		knock.local[1] = context->local_ip6[1];
		knock.local[2] = context->local_ip6[2];
		knock.local[3] = context->local_ip6[3];
		STAYS("v6");
	}
	__builtin_memcpy(source.address, knock.remote, 16);
	__u32 *is_excluded = bpf_map_lookup_elem(&excluded, &source);
	if (is_excluded && *is_excluded) {
		count(&counted->excluded);
		return PASS;
	}

	if (level == ANSWER) {
		__u32 which = (protocol == UDP ? 1 : 0) + (family == AF_INET ? 0 : 2);
		struct bound_socket *socket = bpf_map_lookup_elem(&answering, &which);
		if (socket) {
			knock.answered = assign(context, socket, 0) == 0;
			release(socket);
		}
		count(knock.answered ? &counted->answered : &counted->unanswered);
		// The datagram itself tells more.
		if (knock.answered && protocol == UDP) return PASS;
	}
	knock.at_ns = clock_ns();
	knock.protocol = protocol;
	knock.local_port = port;
	knock.remote_port = context->remote_port;
	count(report(&knocks, &knock, sizeof(knock), 0) ? &counted->unreported : &counted->reported);
	return PASS;
}

inline_always struct counts *in_our_namespace(struct bound_socket *socket)
{
	__u32 zero = 0;
	struct counts *counted = bpf_map_lookup_elem(&counts, &zero);
	return counted && netns_cookie(socket) == counted->netns ? counted : 0;
}

inline_always int hold(struct bound_socket *socket)
{
	__u32 protocol = socket->protocol;
	if (protocol != TCP && protocol != UDP) return PASS;
	struct counts *counted = in_our_namespace(socket);
	if (!counted) return PASS;
	__u32 port = socket->src_port;
	__u32 index = (protocol == UDP ? 65536 : 0) + (port & 65535);
	struct place *place = bpf_map_lookup_elem(&places, &index);
	if (!place) return PASS;
	// Taken first: at no moment is the port thought empty.
	__sync_fetch_and_add(&place->holders, 1);
	__u64 cookie = socket_cookie(socket);
	long refused = map_update(&held, &cookie, &index, BPF_NOEXIST);
	if (refused == -17 /* EEXIST: the reader knows it from the dump */) __sync_fetch_and_add(&place->holders, -1);
	else if (refused) count(&counted->untold);
	return PASS;
}

SEC("cgroup/post_bind4")
int bound4(struct bound_socket *socket)
{
	return hold(socket);
}

SEC("cgroup/post_bind6")
int bound6(struct bound_socket *socket)
{
	return hold(socket);
}

SEC("cgroup/sock_release")
int released(struct bound_socket *socket)
{
	if (!in_our_namespace(socket)) return PASS;
	__u64 cookie = socket_cookie(socket);
	__u32 *known = bpf_map_lookup_elem(&held, &cookie);
	if (!known) return PASS;
	__u32 index = *known;
	// Whoever takes it out of the table counts it off.
	if (map_delete(&held, &cookie)) return PASS;
	struct place *place = bpf_map_lookup_elem(&places, &index);
	if (place) __sync_fetch_and_add(&place->holders, -1);
	return PASS;
}

_Static_assert(sizeof(struct knock) == 48, "the reader counts on it");
_Static_assert(sizeof(struct counts) == 64, "the reader counts on it");
_Static_assert(sizeof(struct place) == 8, "the reader counts on it");
