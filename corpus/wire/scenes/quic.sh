# QUIC version 1 with HTTP/3: one page.
packages="openssl"
python="aioquic"
port=443
prepare() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out certificate.pem \
        -subj /CN=corpus.example -addext subjectAltName=DNS:corpus.example -days 3650
}
serve() {
    cat > server.py <<END
import asyncio, sys
from aioquic.asyncio import serve, QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
class Page(QuicConnectionProtocol):
    http = None
    def quic_event_received(self, event):
        self.http = self.http or H3Connection(self._quic)
        for happened in self.http.handle_event(event):
            if isinstance(happened, HeadersReceived):
                self.http.send_headers(happened.stream_id, [(b":status", b"200")])
                self.http.send_data(happened.stream_id, b"hello", end_stream=True)
                self.transmit()
async def main():
    settings = QuicConfiguration(is_client=False, alpn_protocols=["h3"])
    settings.load_cert_chain("certificate.pem", "key.pem")
    await serve("127.0.0.1", int(sys.argv[1]), configuration=settings, create_protocol=Page)
    await asyncio.Future()
asyncio.run(main())
END
    python3 server.py "$1" & wait_udp "$1"
}
call() {
    python3 - "$1" <<END
import asyncio, ssl, sys
from aioquic.asyncio import connect, QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived
from aioquic.quic.configuration import QuicConfiguration
class Client(QuicConnectionProtocol):
    http, done = None, None
    def quic_event_received(self, event):
        if self.http:
            for happened in self.http.handle_event(event):
                if isinstance(happened, DataReceived) and happened.data == b"hello" and not self.done.done():
                    self.done.set_result(True)
async def main():
    settings = QuicConfiguration(alpn_protocols=["h3"], verify_mode=ssl.CERT_NONE, server_name="corpus.example")
    async with connect("127.0.0.1", int(sys.argv[1]), configuration=settings, create_protocol=Client) as client:
        client.done = asyncio.get_running_loop().create_future()
        client.http = H3Connection(client._quic)
        stream = client._quic.get_next_available_stream_id()
        client.http.send_headers(stream, [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"corpus.example"), (b":path", b"/")], end_stream=True)
        client.transmit()
        await asyncio.wait_for(client.done, 5)
asyncio.run(main())
END
}
