# NetBIOS name service, and the announcements that come as datagrams (138).
packages="samba smbclient samba-common-bin"
port=137
odd=no
interface=link0
serve() {
    mkdir -p state /run/samba
    cat > smb.conf <<END
[global]
netbios name = CORPUS
workgroup = EXAMPLE
server string = corpus
private dir = $PWD/state
lock directory = $PWD/state
state directory = $PWD/state
cache directory = $PWD/state
pid directory = $PWD/state
ncalrpc dir = $PWD/state
interfaces = link0
END
    nmbd --foreground --no-process-group --debug-stdout -s smb.conf & wait_udp "$1"
}
call() {
    far nmblookup -s /dev/null -B 192.0.2.255 CORPUS; far nmblookup -s /dev/null -A 192.0.2.1
    # The announcement comes when the name is ours.
    sleep 10
}
