# BitTorrent: one peer gives another a small file, and nodes of the distributed table meet.
packages="python3-libtorrent"
port=6881
serve() { :; }
call() {
    mkdir -p one two && seq 2000 > one/numbers
    /usr/bin/python3 - "$1" <<END
import sys, time, libtorrent as lt
port = int(sys.argv[1])
files = lt.file_storage()
lt.add_files(files, "one/numbers")
made = lt.create_torrent(files, 16384)
lt.set_piece_hashes(made, "one")
info = lt.torrent_info(lt.bencode(made.generate()))
def peer(port):
    return lt.session({"listen_interfaces": f"127.0.0.1:{port}", "enable_upnp": False, "enable_natpmp": False, "enable_lsd": False,
                       "enable_dht": True, "dht_bootstrap_nodes": "", "allow_multiple_connections_per_ip": True,
                       "dht_restrict_routing_ips": False, "dht_restrict_search_ips": False,
                       "out_enc_policy": 2, "in_enc_policy": 2, "enable_outgoing_utp": False})
seed, leech = peer(port), peer(6999)
from_, to = (s.add_torrent({"ti": info, "save_path": p}) for s, p in ((seed, "one"), (leech, "two")))
leech.add_dht_node(("127.0.0.1", port))
for _ in range(100):
    time.sleep(0.2)
    if from_.status().is_seeding: break
to.connect_peer(("127.0.0.1", port))
for _ in range(100):
    time.sleep(0.2)
    if to.status().is_seeding: break
assert to.status().is_seeding
END
}
