# Kerberos: a ticket by UDP, one by TCP, and one for a service.
packages="krb5-kdc krb5-admin-server krb5-user"
port=88
prepare() {
    for way in udp tcp; do
        [ "$way" = tcp ] && limit=1 || limit=32700
        cat > "$way.conf" <<END
[libdefaults]
default_realm = CORPUS.EXAMPLE
udp_preference_limit = $limit
dns_lookup_kdc = false
[realms]
CORPUS.EXAMPLE = {
kdc = 127.0.0.1:$1
}
END
    done
    cat > kdc.conf <<END
[kdcdefaults]
kdc_listen = 127.0.0.1:$1
kdc_tcp_listen = 127.0.0.1:$1
[realms]
CORPUS.EXAMPLE = {
database_name = $PWD/principal
key_stash_file = $PWD/stash
}
END
    export KRB5_KDC_PROFILE=$PWD/kdc.conf KRB5_CONFIG=$PWD/udp.conf
    kdb5_util create -s -P made-up -r CORPUS.EXAMPLE
    kadmin.local addprinc -pw made-up reader
    kadmin.local addprinc -randkey host/corpus.example
}
serve() { krb5kdc -n & wait_udp "$1"; }
call() {
    echo made-up | KRB5_CONFIG=$PWD/udp.conf kinit -c first reader \
        && echo made-up | KRB5_CONFIG=$PWD/tcp.conf kinit -c second reader \
        && KRB5_CONFIG=$PWD/tcp.conf kvno -c second host/corpus.example
}
