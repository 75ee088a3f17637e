# IMAP: a login, and the folder is selected.
packages="dovecot-imapd curl"
port=143
serve() {
    mkdir -p mail state && chown mail mail
    cat > dovecot.conf <<END
base_dir = $PWD/state
log_path = /dev/stderr
listen = 127.0.0.1
protocols = imap
ssl = no
disable_plaintext_auth = no
mail_location = maildir:~/box
first_valid_uid = 1
passdb {
  driver = static
  args = password=made-up
}
userdb {
  driver = static
  args = uid=mail gid=mail home=$PWD/mail
}
service imap-login {
  inet_listener imap {
    port = $1
  }
  inet_listener imaps {
    port = 0
  }
}
END
    dovecot -F -c dovecot.conf & wait_tcp "$1"
}
call() { curl -s -u reader:made-up "imap://127.0.0.1:$1/" && curl -s -u reader:made-up "imap://127.0.0.1:$1/INBOX" -X 'STATUS INBOX (MESSAGES)'; }
