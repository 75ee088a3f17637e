# NATS: somebody listens to a subject and hears a word.
packages="nats-server"
python="nats-py"
port=4222
serve() { nats-server -a 127.0.0.1 -p "$1" & wait_tcp "$1"; }
call() {
    python3 - "$1" <<END
import asyncio, sys, nats
async def main():
    client = await nats.connect(f"nats://127.0.0.1:{sys.argv[1]}", allow_reconnect=False)
    heard = await client.subscribe("colour")
    await client.publish("colour", b"blue")
    assert (await heard.next_msg(timeout=5)).data == b"blue"
    await client.drain()
asyncio.run(main())
END
}
