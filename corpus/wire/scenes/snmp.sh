# SNMP version 2c, and version 3 with authentication and privacy.
packages="snmpd snmp"
port=161
serve() {
    mkdir -p state
    printf 'rocommunity public 127.0.0.1\ncreateUser reader SHA made-up-words AES made-up-words\nrouser reader\nsyscontact nobody\nsyslocation nowhere\n' \
        > snmpd.conf
    SNMP_PERSISTENT_DIR=$PWD/state snmpd -f -Lo -C -c snmpd.conf "udp:127.0.0.1:$1" & wait_udp "$1"
}
call() {
    export SNMPCONFPATH=$PWD SNMP_PERSISTENT_DIR=$PWD/state
    snmpgetnext -v2c -c public "127.0.0.1:$1" 1.3.6.1.2.1.1.4 && snmpbulkget -v2c -c public -Cr3 "127.0.0.1:$1" 1.3.6.1.2.1.1.4 \
        && snmpget -v3 -l authPriv -u reader -a SHA -A made-up-words -x AES -X made-up-words "127.0.0.1:$1" 1.3.6.1.2.1.1.6.0
}
