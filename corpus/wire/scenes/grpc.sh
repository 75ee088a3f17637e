# gRPC: one call.
packages="python3-grpcio"
port=50051
serve() {
    cat > server.py <<END
import sys, grpc
from concurrent import futures
def handle(call):
    return grpc.unary_unary_rpc_method_handler(lambda request, context: b"\x0a\x04" + request[2:6])
class Handler(grpc.GenericRpcHandler):
    def service(self, call): return handle(call)
server = grpc.server(futures.ThreadPoolExecutor(2))
server.add_generic_rpc_handlers((Handler(),))
server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()
END
    python3 server.py "$1" & wait_tcp "$1"
}
call() {
    python3 - "$1" <<END
import sys, grpc
with grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}") as channel:
    assert channel.unary_unary("/corpus.Colour/Name")(b"\x0a\x04blue") == b"\x0a\x04blue"
END
}
