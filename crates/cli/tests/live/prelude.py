# What every planter starts with: it dies with the test, tells when it is ready, and leaves when nobody holds its input.
import array, ctypes, json, os, socket, sys, threading

libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    libc.prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL


def tcp(port, addr="127.0.0.1", listen=True, only6=None, reuse=False, device=None, protocol=0):
    s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, socket.SOCK_STREAM, protocol)
    return bound(s, port, addr, listen, only6, reuse, device)


def udp(port, addr="127.0.0.1", only6=None, reuse=False, device=None, protocol=0):
    s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, socket.SOCK_DGRAM, protocol)
    return bound(s, port, addr, False, only6, reuse, device)


def bound(s, port, addr, listen, only6, reuse, device):
    if only6 is not None:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(only6))
    if reuse:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if device:
        s.setsockopt(socket.SOL_SOCKET, 25, device.encode())  # SO_BINDTODEVICE
    s.bind(socket.getaddrinfo(addr, port, s.family, s.type)[0][4])
    if listen:
        s.listen(16)
    return s


def answer(s, text):
    def serve():
        while True:
            peer, _ = s.accept()
            peer.sendall(text)
            peer.close()

    threading.Thread(target=serve, daemon=True).start()


def fork(work):
    """A child that does `work`, and then waits as its parent does."""
    pid = os.fork()
    if pid:
        return pid
    try:
        die_with_parent()
        work()
        wait()
    finally:
        os._exit(1)


def wait():
    while os.read(0, 4096):
        pass
    os._exit(0)


def tell(**told):
    sys.stdout.write(json.dumps({"pid": os.getpid(), **told}) + "\n")
    sys.stdout.flush()


def ready(**told):
    tell(**told)
    wait()


