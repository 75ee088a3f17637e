# iSCSI: the targets of a portal are listed.
packages="tgt libiscsi-bin"
port=3260
prepare() { truncate -s 1M disk; }
serve() {
    tgtd -f --iscsi "portal=127.0.0.1:$1" & wait_tcp "$1"
    tgtadm --lld iscsi --op new --mode target --tid 1 -T iqn.2026-11.example.corpus:disk
    tgtadm --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b "$PWD/disk"
    tgtadm --lld iscsi --op bind --mode target --tid 1 -I ALL
}
call() { iscsi-ls -s "iscsi://127.0.0.1:$1"; }
