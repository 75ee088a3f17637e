# Multicast DNS: a service is registered, and found.
packages="python3-zeroconf"
port=5353
odd=no
interface=link0
filter="udp"
serve() {
    cat > server.py <<END
import socket, time
from zeroconf import ServiceInfo, Zeroconf
here = Zeroconf(interfaces=["192.0.2.1"])
here.register_service(ServiceInfo("_http._tcp.local.", "corpus._http._tcp.local.", port=8080, server="corpus.local.",
                                  addresses=[socket.inet_aton("192.0.2.1")]))
time.sleep(30)
END
    /usr/bin/python3 server.py & wait_udp "$1"
}
call() {
    far /usr/bin/python3 - <<END
from zeroconf import Zeroconf
there = Zeroconf(interfaces=["192.0.2.2"])
assert there.get_service_info("_http._tcp.local.", "corpus._http._tcp.local.", timeout=8000)
there.close()
END
}
