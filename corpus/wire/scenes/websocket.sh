# WebSocket: an upgrade, one message and its echo.
packages="python3-websockets"
port=80
serve() {
    cat > server.py <<END
import asyncio, sys, websockets
async def echo(socket):
    async for message in socket:
        await socket.send(message)
async def main():
    async with websockets.serve(echo, "127.0.0.1", int(sys.argv[1])):
        await asyncio.Future()
asyncio.run(main())
END
    python3 server.py "$1" & wait_tcp "$1"
}
call() {
    python3 - "$1" <<END
import asyncio, sys, websockets
async def main():
    async with websockets.connect(f"ws://127.0.0.1:{sys.argv[1]}/colour") as socket:
        await socket.send("blue")
        assert await socket.recv() == "blue"
asyncio.run(main())
END
}
