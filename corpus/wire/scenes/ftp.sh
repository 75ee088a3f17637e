# FTP: an anonymous guest fetches a file.
packages="vsftpd curl"
port=21
serve() {
    mkdir -p empty public && chmod 555 public && seq 20 > public/numbers
    printf 'listen=YES\nbackground=NO\nlisten_address=127.0.0.1\nlisten_port=%s\nanonymous_enable=YES\nanon_root=%s\nsecure_chroot_dir=%s\nseccomp_sandbox=NO\n' \
        "$1" "$PWD/public" "$PWD/empty" > vsftpd.conf
    chown root vsftpd.conf
    vsftpd "$PWD/vsftpd.conf" & wait_tcp "$1"
}
call() { curl -s "ftp://127.0.0.1:$1/numbers" | grep -qx 20; }
