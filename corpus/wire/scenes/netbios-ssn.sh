# SMB in a NetBIOS session, as it was before it had a port of its own. Smbclient asks for a session on this port only.
packages="samba smbclient"
port=139
odd=no
serve() {
    mkdir -p share state && echo hello > share/file
    cat > smb.conf <<END
[global]
netbios name = CORPUS
workgroup = EXAMPLE
server string = corpus
smb ports = $1
map to guest = bad user
guest account = root
private dir = $PWD/state
lock directory = $PWD/state
state directory = $PWD/state
cache directory = $PWD/state
pid directory = $PWD/state
ncalrpc dir = $PWD/state
load printers = no
server min protocol = NT1
bind interfaces only = yes
interfaces = lo
[share]
path = $PWD/share
guest ok = yes
END
    smbd --foreground --no-process-group --debug-stdout -s smb.conf & wait_tcp "$1"
}
call() { smbclient -s smb.conf -N -p "$1" -n READER //CORPUS/share -I 127.0.0.1 -c ls; }
