# Subversion: a repository is looked at.
packages="subversion"
port=3690
prepare() { svnadmin create colours; }
serve() { svnserve -d --foreground -r "$PWD" --listen-host=127.0.0.1 --listen-port="$1" & wait_tcp "$1"; }
call() { svn --non-interactive info "svn://127.0.0.1:$1/colours"; }
