//! The expressions that tcpdump and we must agree on, and those where we differ, each with the reason.

/// What both understand, or both refuse.
pub const AGREED: &str = r"
ip
ip6
arp
rarp
tcp
udp
sctp
icmp
icmp6
igmp
esp
ah
pim
vrrp
igrp
carp
atalk
aarp
ipx
stp
netbeui
iso
decnet
lat
sca
moprc
mopdl
host 1.2.3.4
src host 1.2.3.4
dst host 1.2.3.4
src and dst host 1.2.3.4
src or dst host 1.2.3.4
dst or src host 1.2.3.4
src 1.2.3.4
dst 10.0.0.1
src 1.2.3.4 or dst 5.6.7.8
host 1.2.3.4 or 5.6.7.8
host (1.2.3.4 or 5.6.7.8) and port 80
host 1.2.3.4 and not 5.6.7.8
not host 1.2.3.4 and 5.6.7.8
host 10
host 192.168
host 1.2.3
ip host 1.2.3.4
arp host 1.2.3.4
rarp host 5.6.7.8
arp src host 10.0.0.1 or 1.2.3.4
arp net 10
ip6 host 1.2.3.4
tcp host 1.2.3.4
icmp host 1.2.3.4
ip6 host ::1
host ::1
src host 2001:db8::1
dst host ff02::fb
src and dst host 2001:db8::1
host 2001:db8::1 or ::1
src host 1.2.3.4 or ::1
ip host ::1
arp host ::1
host ::ffff:1.2.3.4
host ::1/128
host 2001:db8::/32
host foo.example
host 256.1.1.1
host 1.2.3.4/24
host 1.2.3.0/24
host 1.2.3.4.5
src 10.0.0.0/8
net 10
net 192.168
net 192.168.1
net 192.168.1.7
net 192.168.0.0/16
net 192.168/16
net 192.168.0.0/16 or 10.0.0.0/8
net 10.0.0.0 mask 255.0.0.0
net 0.0.0.10 mask 0.0.0.255
net 192.168.1.0 mask 255.255.255.0
src net 10
dst net 192.168
src net 10 and dst net 192.168
src and dst net 10
net 0.0.0.0/0
net 10.1.0.0/8
net 10.1.0.0 mask 255.0.0.0
net 10.0.0.0/33
net 10.0.0.0/
net ::/0
net 2001:db8::/32
ip6 net 2001:db8::/48
src net 2001:db8:1::/48
net 2001:db8::1/32
net 2001:db8::/129
ip6 net 10
net 0
net 0.1
net 0.0.0.1
net 08
ether host 1:2:3:4:5:6
ether src 1:2:3:4:5:6
ether dst 01:02:03:04:05:06
ether src host 01-02-03-04-05-06
ether host 0102.0304.0506
ether host 010203040506
ether host 01.02.03.04.05.06
ether src and dst 1:2:3:4:5:6
ether host ff:ff:ff:ff:ff:ff or 1:2:3:4:5:6
wlan host 1:2:3:4:5:6
host 1:2:3:4:5:6
ether host 1.2.3.4
ether host 1:2:3:4:5
ether 1:2:3:4:5:6
ether
ether broadcast
broadcast
ether multicast
multicast
ip multicast
ip6 multicast
ip6 broadcast
tcp multicast
arp broadcast
ether proto 0x800
ether proto \ip
ether proto \arp or \rarp
ether proto 0x42
ether proto 0xfe
ether proto 0xf0
ether proto 0xe0
ether proto 6
ether proto 1500
ether proto 1501
ether proto 0x600
ether proto 0x88cc
ether proto 0x809b
ether proto loopback
link proto 0x86dd
ip proto 6
ip proto \tcp
ip proto \tcp or \udp
ip proto 1 or 6
ip proto ospf
ip proto 0
ip6 proto 6
ip6 proto 44
ip6 proto 0
ip6 proto \udp
ip6 proto ipv6-icmp
proto 17
proto 44
proto \igmp
proto gre
proto 1.2.3.4
proto nosuchprotocol
tcp proto 6
arp proto 3
port 80
src port 80
dst port 80
src and dst port 53
src or dst port 80
tcp port 80
udp port 53
sctp port 80
tcp src port 80
udp dst port 53
tcp src port 80 and dst port 40000
tcp src or dst port 80
port 80 or 443
port 80 or 443 or 53
tcp port 80 or 443 and host 1.2.3.4
port (80 or 443)
port not 80
port ! 80 and 443
port 80 or not 443
port 80 or not (443 or 22)
port 80 or (443 and not 22)
port 80 or (443)
not port 80 or 443
not (port 80 or 443)
port 0
port 65535
port 0x50
port 0120
port 08
port http
port domain
port tftp
port ftp or ssh
tcp port domain
udp port domain
tcp port tftp
udp port http
portrange http-90
port nosuchservice
port 70000
port 99999999999
port 1.2.3.4
port 80-90
port -1
ip port 80
ip6 port 80
icmp port 80
portrange 80-90
portrange 90-80
portrange 80
portrange 0-65535
portrange 80-70000
portrange 80:90
tcp portrange 20-22 or 80-90
udp dst portrange 1-1023
src portrange 50-100
not portrange 1-1023
port 80 or portrange 443-500
src port 80 or dst 443
less 64
less 0x40
greater 64
less (10)
len > 60
len <= 60
length = 60
len - 14 > 40
len -4>5
vlan
vlan 5
vlan 0x5
vlan (5)
vlan 5000
vlan and ip
vlan 5 and tcp port 80
vlan 100 and vlan 200
vlan 100 and vlan 200 and ip
vlan and vlan and ip6
vlan or ip
not vlan
not vlan and ip
ip or vlan 5 and tcp
vlan and mpls and ip
vlan and mpls 1024 and host 10.0.0.1
vlan and pppoes
vlan 5 and pppoes 6 and ip
vlan and ether host 1:2:3:4:5:6
vlan and ether broadcast
vlan and ether[0] & 1 = 1
vlan and ip[0] = 0x45
vlan and ip6 host ::1
mpls
mpls 1024
mpls 100000 and mpls 1024
mpls 100000 and mpls 1024 and ip
mpls and mpls and host 10.0.0.1
mpls and ip6
mpls and tcp port 80
mpls and port 80
mpls and net 10
mpls and ip[9] = 6
mpls and tcp[0:2] = 80
mpls and arp
mpls and vlan
mpls and pppoes
mpls and ether broadcast
mpls 1048576
pppoed
pppoes
pppoes 5
pppoes 5 and ip
pppoes and ip6
pppoes and tcp port 80
pppoes and udp
pppoes and mpls
pppoes and mpls 1024 and mpls 5
pppoes and arp
pppoes and vlan
pppoes and ether[0] = 0
pppoes and ether host 1:2:3:4:5:6
pppoes and pppoes
pppoes and multicast
pppoes 65536
inbound
outbound
not outbound and ip
ip[0] = 0x45
ip[0] == 0x45
ip[0] != 0x45
ip[0] & 0xf != 5
ip[0] & 0xf > 5
ip[0] & 0xf >= 5
ip[0] & 0xf < 6
ip[0] & 0xf <= 5
not ip[0] < 0x45
ip[0] | 1 = 0x45
ip[0] ^ 5 = 0x40
ip[0] % 16 = 5
ip[0] * 2 = 138
ip[0] / 2 = 34
ip[0] + 1 = 70
ip[0] - 70 > 1000
ip[0] << 1 = 138
ip[0] >> 4 = 4
ip[2:2] > 40
ip[12:4] = 0x01020304
ip[12:4] = ip[16:4]
ip[6:2] & 0x1fff = 0
ip[6:2] & 0x1fff != 0
ip[16] >= 224
ip[ip[0] & 0xf] = 1
ip[(ip[0] & 0xf) * 4] = 8
ip[2:2] - ((ip[0] & 0xf) << 2) > 20
ip[0] << ip[1] = 0x45
ip[9] << ip[8] = 0
ip[9] >> ip[8] = 0
ip[9] / ip[1] = 1
ip[9] % ip[1] = 1
(ip[0] & 0xf) + (ip[9] ^ ip[8]) > (ip[12] | ip[13]) - 1
ip6[6] = 6
ip6[6] = 58 and ip6[40] = 128
ip6[24:4] = 0xff020000
ip6[4:2] > 20
arp[6:2] = 1
arp[7] = 2
rarp[7] = 3
tcp[13] & 2 != 0
tcp[tcpflags] & tcp-syn != 0
tcp[tcpflags] & (tcp-syn|tcp-fin) != 0
tcp[tcpflags] == tcp-syn
tcp[tcpflags] & (tcp-rst|tcp-ack) == (tcp-rst|tcp-ack)
tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn
tcp[tcpflags] & (tcp-push|tcp-urg|tcp-ece|tcp-cwr) != 0
tcp[0:2] = 80 or tcp[2:2] = 80
tcp[(tcp[12]>>4)*4:4] = 0x47455420
tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)
not tcp[13] & 2 != 0
udp[4:2] > 8
udp[0:2] = udp[2:2]
udp[8:4] = 0x01020304
sctp[0:2] = 80
icmp[icmptype] = icmp-echo
icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply
icmp[icmpcode] = 3
icmp[0] = icmp-unreach or icmp[0] = icmp-tstamp
icmp6[icmp6type] = icmp6-echo
icmp6[icmp6type] = icmp6-echoreply or icmp6[0] = icmp6-neighborsolicit
icmp6[icmp6code] = 3
igmp[0] = 3
pim[0] = 1
vrrp[0] = 8
igrp[0] = 3
carp[0] = 3
esp[0] = 1
ah[0] = 1
stp[0] = 1
ether[0] & 1 != 0
ether[0] & 1 = 0 and ip[16] >= 224
ether[12:2] = 0x800
ether[0:3] = 1
ether[0:4] = 0x00005e00
ether[len - 1] = 12
ether[len] = 0
ether[len - 100] = 4
ether[4294967295] = 1
ether[4294967296] = 1
ether[-1] = 1
not ether[4294967295] = 1
link[0] = 0
ppp[0] = 0xff
ether[60] = 1 or tcp
tcp or ether[60] = 1
not ether[60] = 1
1 = 1
1 = 2
not 1 = 1
(5) = 5
((ip[0])) = 69
(ip[0] = 69)
5 < 4
7 % 4 + 1 = 2
10 - 7 % 4 = 7
2 * 7 % 4 = 6
1 ^ 3 | 4 = 6
6 & 3 ^ 1 = 2
1 | 2 & 4 = 1
1 << 2 + 1 = 8
8 - 2 - 1 = 5
16 / 4 / 2 = 2
3 - -1 = 4
2 * -1 + 3 = 1
4 & 6 | 1 = 5
0xffffffff + 1 = 0
5 / 0 = 1
5 % 0 = 1
ip[0] << 33 = 1
ip[0] / 0 = 1
len = 5 or 6
ip[0] = 0x45 or 5
ip[0] => 69
ip[0]
tcp and ip
tcp and not ip
tcp or udp
tcp or udp port 53
tcp or udp and port 53
tcp and port 80 or host 10.0.0.1
tcp and (port 80 or host 10.0.0.1)
ip and not (tcp or udp)
!tcp
! ! tcp
not not tcp
not(tcp)
tcp && port 80
tcp || udp
tcp && !port 80
host 1.2.3.4 && (port 80 || port 443)
tcp and (port 80 or port 443) and not host 10.0.0.1
tcp port 80 and host 1.2.3.4 or 5.6.7.8
host 1.2.3.4 and (port 80 or 443) or 10.0.0.1
ether host 1:2:3:4:5:6 and ip host 1.2.3.4
ip and udp and dst port 53 and src net 10
tcp and not port 22 and not port 80
arp or icmp or icmp6
arp and ip
(tcp
tcp)
()
not
tcp and
and tcp
tcp udp
ip tcp
host
port
net
proto
vlan 1 or 2
mpls 1 or 2
tcp or 443
port 80 or tcp or 443
(port 80) or 443
1.2.3.4
80
TCP
Port 80
tpc
port 22,80
host 1.2.3.4 & port 22
host 1.2.3.4 | port 22
host 1.2.3.4 $
src host or dst host 1.2.3.4
ip 1.2.3.4
tcp 80
src tcp 1.2.3.4
gateway foo
rset foo
type mgt
vpi 3
radio[0] = 1
wlan type mgt
host fe80::1%eth0
host abcd
len-4>5
";

/// Lists of which we ask the source for all values before the destination for any, and tcpdump does so only at times:
/// a frame that was cut between the two may pass here and not there.
pub const LISTS: [&str; 10] = [
    "host 2001:db8::1 or ::1",
    "net 192.168.0.0/16 or 10.0.0.0/8",
    "host 1.2.3.4 or 5.6.7.8",
    "port 80 or 443",
    "port 80 or 443 or 53",
    "port (80 or 443)",
    "port 80 or (443)",
    "port ftp or ssh",
    "tcp portrange 20-22 or 80-90",
    "port 80 or portrange 443-500",
];

/// What tcpdump refuses and we take, and the other way round.
pub const DIFFERENT: [(&str, &str); 29] = [
    ("ip proto tcp", "nothing but the protocol can be meant, and so no backslash is needed"),
    ("ip proto udp or tcp", "the same"),
    ("ether proto arp", "the same"),
    ("ether proto stp", "the same"),
    ("proto igmp", "the same"),
    ("proto icmp6", "the same"),
    ("net 10/8", "a net of one number may have a mask"),
    ("net 10 mask 255.0.0.0", "the same"),
    ("port 80 or (443 or tcp)", "a value in parentheses may stand beside a test"),
    ("portrange ftp-data-90", "the name of a service may have a minus"),
    ("portrange http or 85-90", "one name is a range, as one number is"),
    ("ip broadcast", "the mask of an interface is not known; tcpdump takes 0 for it when it reads a file"),
    ("ip proto 256", "no packet can have it; tcpdump compares it anyway"),
    ("proto 300", "the same"),
    ("ether proto 70000", "the same"),
    ("host localhost", "names of hosts are not looked up"),
    ("ip protochain 6", "needs a loop, which the kernel refuses"),
    ("ip6 protochain 6", "the same"),
    ("protochain 17", "the same"),
    ("geneve", "offsets that are known only in the packet"),
    ("geneve 5 and ip", "the same"),
    ("llc", "fields of 802.2 are compared as bytes"),
    ("clnp", "the same"),
    ("esis", "the same"),
    ("isis", "the same"),
    ("iso proto 0x81", "the same"),
    ("port 80 and lsp", "the same"),
    ("ip[9] / ip[0] = 0", "tcpdump's optimiser takes the divisor for 0 and calls it an error"),
    ("byte 0 = 1", "an old form; bytes are compared as ether[0]"),
];
