# XMPP: an anonymous guest opens a stream.
packages="prosody python3-slixmpp"
port=5222
serve() {
    mkdir -p data
    printf 'run_as_root = true\npidfile = "%s"\ndata_path = "%s"\nlog = "*console"\nauthentication = "anonymous"\nmodules_enabled = { "saslauth", "roster", "disco" }\nmodules_disabled = { "s2s" }\nc2s_ports = { %s }\nc2s_interfaces = { "127.0.0.1" }\nc2s_require_encryption = false\nallow_unencrypted_plain_auth = true\nVirtualHost "corpus.example"\n' \
        "$PWD/pid" "$PWD/data" "$1" > prosody.cfg.lua
    prosody -F --config "$PWD/prosody.cfg.lua" & wait_tcp "$1"
}
call() {
    /usr/bin/python3 - "$1" <<END
import asyncio, sys, slixmpp
client = slixmpp.ClientXMPP("corpus.example", "")
done = []
client.add_event_handler("session_start", lambda event: (done.append(1), client.disconnect()))
client.connect(address=("127.0.0.1", int(sys.argv[1])), force_starttls=False, disable_starttls=True)
client.loop.run_until_complete(asyncio.wait_for(client.disconnected, 10))
assert done
END
}
