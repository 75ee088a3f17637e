# OPC UA: a variable is read.
python="asyncua"
port=4840
serve() {
    cat > server.py <<END
import asyncio, sys
from asyncua import Server
async def main():
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{sys.argv[1]}/corpus")
    colours = await server.register_namespace("urn:corpus.example")
    await server.nodes.objects.add_variable(colours, "colour", "blue")
    async with server:
        await asyncio.sleep(50)
asyncio.run(main())
END
    python3 server.py "$1" & wait_tcp "$1"
}
call() {
    python3 - "$1" <<END
import asyncio, sys
from asyncua import Client
async def main():
    async with Client(f"opc.tcp://127.0.0.1:{sys.argv[1]}/corpus") as client:
        print(await client.nodes.server_state.read_value())
asyncio.run(main())
END
}
