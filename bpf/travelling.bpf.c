// Which sockets travel in messages (unix(7), SCM_RIGHTS): reads the queue of each Unix socket of the reader's network
// namespace, and the files in each message.
#include "vmlinux.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

// More messages wait in no queue (net.unix.max_dgram_qlen is 10 by default), and more files travel in none (SCM_MAX_FD).
#define MAX_MESSAGES 4096
#define MAX_FILES 253

// A power of two.
#define ROOM 1024

// Mirrored in crates/wire/src/travelling.rs.
volatile struct {
	__u64 found;         // how many there were, whether or not they fitted
	__u64 cookies[ROOM];
} travelling = {};

struct files { const char *list; __u64 count; };
struct queue { struct sk_buff *message; struct sk_buff *end; };

static int read_file(__u32 at, struct files *files)
{
	struct file *file = 0;
	if (at >= files->count) return 1;
	bpf_probe_read_kernel(&file, sizeof(file), files->list + at * sizeof(file));
	struct socket *socket = file ? READ(file, private_data) : 0;
	// Only a socket points back to its file.
	if (!socket || READ(socket, file) != file) return 0;
	struct sock *sk = READ(socket, sk);
	__u64 cookie = sk ? READ(sk, __sk_common.skc_cookie.counter) : 0;
	// Without a cookie nobody has dumped it.
	if (cookie) travelling.cookies[travelling.found++ & (ROOM - 1)] = cookie;
	return 0;
}

static int read_message(__u32 at, struct queue *queue)
{
	struct sk_buff *message = queue->message;
	if (!message || message == queue->end) return 1;
	struct unix_skb_parms *parameters = (void *)__builtin_preserve_access_index(&message->cb);
	struct scm_fp_list *list = READ(parameters, fp);
	if (list) {
		struct files files = {};
		files.list = (const char *)__builtin_preserve_access_index(&list->fp[0]);
		files.count = READ(list, count);
		bpf_loop(MAX_FILES, read_file, &files, 0);
	}
	queue->message = READ(message, next);
	return 0;
}

SEC("iter/unix")
int in_messages(struct bpf_iter__unix *context)
{
	struct sock *sk = (struct sock *)context->unix_sk;
	if (!sk) return 0;
	struct queue queue = {};
	queue.end = (void *)__builtin_preserve_access_index(&sk->sk_receive_queue);
	queue.message = READ(sk, sk_receive_queue.next);
	bpf_loop(MAX_MESSAGES, read_message, &queue, 0);
	return 0;
}
