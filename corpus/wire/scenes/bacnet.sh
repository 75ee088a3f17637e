# BACnet/IP: who is there, and what is it called.
python="bacpypes3"
port=47808
interface=link0
serve() {
    cat > server.py <<END
import asyncio, sys
from bacpypes3.argparse import SimpleArgumentParser
from bacpypes3.app import Application
async def main():
    application = Application.from_args(SimpleArgumentParser().parse_args())
    if "--ask" in sys.argv: pass
    await asyncio.sleep(40)
asyncio.run(main())
END
    python3 server.py --name corpus --instance 420 --address "192.0.2.1/24:$1" & wait_udp "$1"
}
call() {
    cat > client.py <<END
import asyncio
from bacpypes3.argparse import SimpleArgumentParser
from bacpypes3.app import Application
from bacpypes3.pdu import Address
from bacpypes3.primitivedata import ObjectIdentifier
import sys
port = sys.argv.pop()
async def main():
    application = Application.from_args(SimpleArgumentParser().parse_args())
    print(await application.who_is(timeout=2))
    print(await application.read_property(Address(f"192.0.2.1:{port}"), ObjectIdentifier("device,420"), "object-name"))
asyncio.run(main())
END
    far python3 client.py --name reader --instance 421 --address "192.0.2.2/24:$1" "$1"
}
