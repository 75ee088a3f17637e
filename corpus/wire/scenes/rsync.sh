# Rsync: the modules are listed, and a file is fetched.
packages="rsync"
port=873
serve() {
    mkdir -p share && seq 20 > share/numbers
    printf 'uid = root\ngid = root\nuse chroot = no\n[share]\npath = %s\n' "$PWD/share" > rsyncd.conf
    rsync --daemon --no-detach --address=127.0.0.1 --port="$1" --config=rsyncd.conf & wait_tcp "$1"
}
call() { rsync "rsync://127.0.0.1:$1/" && rsync "rsync://127.0.0.1:$1/share/numbers" copy && cmp copy share/numbers; }
