# PostgreSQL: a login with a password, one question, one error.
packages="postgresql-15 postgresql-client-15"
port=5432
as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups env PGPASSWORD=made-up "$@"; }
prepare() {
    mkdir data && chown postgres data
    as_postgres sh -c "echo made-up > data.password" 2>/dev/null || echo made-up > password
    as_postgres /usr/lib/postgresql/15/bin/initdb -D data -U reader -A scram-sha-256 --pwfile=password --no-sync
}
serve() {
    as_postgres /usr/lib/postgresql/15/bin/postgres -D data -h 127.0.0.1 -p "$1" -k "" -F & wait_tcp "$1"
}
call() { as_postgres psql -h 127.0.0.1 -p "$1" -U reader postgres -c 'select 420' -c 'select nothing' || [ $? = 1 ]; }
