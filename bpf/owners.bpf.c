// Whose a socket is that no process has open: asked only for those, in the reader's network namespace. A socket that the
// kernel made for itself has no file. One that travels in a message, or that a process has which we cannot see, has one.
#include "vmlinux.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define TCP_LISTEN 10
#define TCP_CLOSE 7

// One bit for each port that is asked about, set by the reader: most sockets need no closer look than that. Mirrored in
// crates/wire/src/owner_record.rs.
volatile __u8 wanted_ports[8192] = {};

// Flags that the kernel keeps in the lowest bits of sk_user_data (SK_USER_DATA_NOCOPY, _BPF, _PSOCK in
// include/net/sock.h): with any of them it belongs to a map of sockets, and says nothing about who uses the socket.
#define USER_DATA_FLAGS 7UL

// Mirrored in crates/wire/src/owner_record.rs: same order, same sizes; 16 bytes.
struct record {
	__u64 cookie;
	__u32 by_kernel;
	__u32 pad;
};

inline_always int by_kernel(struct sock *sk)
{
	struct socket *socket = READ(sk, sk_socket);
	if (!socket || !READ(socket, file)) return 1;
	// The NFS server gives its sockets files, or takes over those of a program that has ended.
	unsigned long user = (unsigned long)READ(sk, sk_user_data);
	return user && !(user & USER_DATA_FLAGS);
}

inline_always void write_record(struct bpf_iter_meta *meta, struct sock *sk)
{
	struct record record = {};
	record.cookie = READ(sk, __sk_common.skc_cookie.counter);
	// The reader has dumped its sockets before, which gives each a cookie: this one is younger.
	if (!record.cookie) return;
	record.by_kernel = by_kernel(sk);
	bpf_seq_write(meta->seq, &record, sizeof(record));
}

inline_always int wanted(__u16 port)
{
	return wanted_ports[port >> 3] >> (port & 7) & 1;
}

SEC("iter/tcp")
int tcp_owners(struct bpf_iter__tcp *context)
{
	struct sock_common *common = context->sk_common;
	if (!common) return 0;
	// Listeners come first. What is not 0 ends the reading, with EAGAIN.
	if (common->skc_state != TCP_LISTEN) return 1;
	if (wanted(common->skc_num)) write_record(context->meta, (struct sock *)common);
	return 0;
}

SEC("iter/udp")
int udp_owners(struct bpf_iter__udp *context)
{
	struct sock *sk = (struct sock *)context->udp_sk;
	if (!sk || READ(sk, __sk_common.skc_state) != TCP_CLOSE) return 0;
	if (wanted(READ(sk, __sk_common.skc_num))) write_record(context->meta, sk);
	return 0;
}

_Static_assert(sizeof(struct record) == 16, "the reader counts on it");
