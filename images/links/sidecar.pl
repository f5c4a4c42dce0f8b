# A member's companion, in the member's own network namespace.
#
# Delays: where the kernel has no netem, packets for peers whose link is slow are
# marked (apply.sh) and routed into a TUN device. They are read here, kept for as
# long as they are told to, and sent on through a raw socket with a mark of their
# own, so that they are not caught again. Those for one peer keep their order.
#
# Probes (probe.pl): echoes what comes over TCP, and remembers which datagrams came.
use strict;
use warnings;
use lib '/opt/cobalt';
use clock;
use Fcntl;
use Socket;

use constant {
    PORT       => 9797,
    CAUGHT     => 0xc0b1,
    SENT_ON    => 0xc0b2,
    TABLE      => 7797,
    TUNSETIFF  => 0x400454ca,
    TUN_NO_PI  => 0x1001,
    SO_MARK    => 36,
    # Of one probe, and of all: older ones are forgotten.
    MOST_HEARD => 10_000,
    MOST_PROBES => 100,
    # Packets that wait for one peer. What comes beyond is lost, as in a router.
    MOST_WAITING => 10_000,
};
$SIG{PIPE} = 'IGNORE';
$SIG{TERM} = sub { exit 0 };

my %lines;    # by the peer's address, 4 bytes: delay, jitter, when the last one leaves, the queue
my %heard;    # by probe and sender: what came of it
my @probes;   # the keys of %heard, oldest first
my ($tun, $raw);

socket(my $listener, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
bind($listener, pack_sockaddr_in(PORT, INADDR_ANY)) or die "bind: $!";
listen($listener, 128) or die "listen: $!";
socket(my $datagrams, PF_INET, SOCK_DGRAM, 0) or die "socket: $!";
setsockopt($datagrams, SOL_SOCKET, SO_RCVBUF, 4 << 20);
bind($datagrams, pack_sockaddr_in(PORT, INADDR_ANY)) or die "bind: $!";
unlink '/run/sidecar.sock';
socket(my $control, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
bind($control, pack_sockaddr_un('/run/sidecar.sock')) or die "bind: $!";
listen($control, 16) or die "listen: $!";

my %clients;    # connections of probes, by descriptor

while (1) {
    my $wait = undef;
    my $now = now_ms();
    for my $line (values %lines) {
        while (@{ $line->{queue} } && $line->{queue}[0][0] <= $now) { send_on(shift @{ $line->{queue} }) }
        next unless @{ $line->{queue} };
        my $left = ($line->{queue}[0][0] - $now) / 1000;
        $wait = $left if !defined $wait || $left < $wait;
    }
    my $readable = '';
    vec($readable, fileno $_, 1) = 1 for $listener, $datagrams, $control, values %clients, $tun // ();
    next if select($readable, undef, undef, $wait) <= 0;
    my $has = sub { vec($readable, fileno $_[0], 1) };
    catch_packets() if $tun && $has->($tun);
    hear() if $has->($datagrams);
    for my $client (values %clients) { echo($client) if $has->($client) }
    if ($has->($listener) && accept(my $client, $listener)) { $clients{ fileno $client } = $client }
    answer() if $has->($control);
}

sub catch_packets {
    my $now = now_ms();
    for (1 .. 64) {
        sysread($tun, my $packet, 65_536) or return;
        next unless (ord($packet) >> 4) == 4;
        my $peer = substr $packet, 16, 4;
        my $line = $lines{$peer};
        if (!$line) { send_on([$now, $packet, $peer]); next }
        my $due = $now + $line->{delay} + (2 * rand() - 1) * $line->{jitter};
        $due = $line->{last} if $due < $line->{last};
        next if @{ $line->{queue} } >= MOST_WAITING;
        $line->{last} = $due;
        push @{ $line->{queue} }, [$due, $packet, $peer];
    }
}

sub send_on {
    my (undef, $packet, $peer) = @{ $_[0] };
    send($raw, $packet, MSG_DONTWAIT, pack_sockaddr_in(0, $peer));
}

sub hear {
    my $now = now_ms();
    for (1 .. 64) {
        my $from = recv($datagrams, my $text, 65_536, MSG_DONTWAIT);
        return unless defined $from;
        my ($probe, $sent) = $text =~ /^(\w+) ([\d.]+) / or next;
        my $key = "$probe " . inet_ntoa((unpack_sockaddr_in $from)[1]);
        if (!$heard{$key}) {
            push @probes, $key;
            delete $heard{ shift @probes } if @probes > MOST_PROBES;
        }
        push @{ $heard{$key} }, sprintf '%.3f:%.3f', $sent, $now if @{ $heard{$key} // [] } < MOST_HEARD;
    }
}

sub echo {
    my ($client) = @_;
    if (sysread($client, my $text, 4096)) { syswrite $client, $text; return }
    delete $clients{ fileno $client };
    close $client;
}

# One line asks, one answers. `delays 10.0.0.2:100:10 …`: peer, delay and jitter in ms; all
# others have none. `heard PROBE SENDER`: when each datagram was sent, and when it came.
sub answer {
    accept(my $asker, $control) or return;
    my $line = <$asker> // '';
    my $answer = eval {
        if ($line =~ /^hello$/) { return 'ok' }
        if ($line =~ /^delays ?(.*)$/) { delay(split ' ', $1); return 'ok' }
        if ($line =~ /^heard (\w+ [\d.]+)$/) { return join ' ', @{ $heard{$1} // [] } }
        die "not understood: $line";
    } // "failed: $@";
    syswrite $asker, "$answer\n";
    close $asker;
}

sub delay {
    my %wanted = map { my ($peer, @times) = split /:/; (inet_aton($peer) => \@times) } @_;
    open_tun() if %wanted && !$tun;
    for my $peer (keys %lines) {
        next if $wanted{$peer};
        send_on($_) for @{ delete($lines{$peer})->{queue} };
    }
    for my $peer (keys %wanted) {
        $lines{$peer} //= { last => 0, queue => [] };
        @{ $lines{$peer} }{ 'delay', 'jitter' } = @{ $wanted{$peer} };
    }
}

sub open_tun {
    if (!-e '/dev/net/tun') {
        mkdir '/dev/net';
        run('mknod', '/dev/net/tun', 'c', '10', '200');
    }
    sysopen(my $device, '/dev/net/tun', O_RDWR | O_NONBLOCK) or die "/dev/net/tun: $!\n";
    my $request = pack 'a16 S x22', 'cobalt0', TUN_NO_PI;
    ioctl($device, TUNSETIFF, $request) or die "TUNSETIFF: $!\n";
    socket($raw, PF_INET, SOCK_RAW, 255) or die "raw socket: $!\n";
    setsockopt($raw, SOL_SOCKET, SO_MARK, pack 'i', SENT_ON) or die "SO_MARK: $!\n";
    setsockopt($raw, SOL_SOCKET, SO_SNDBUF, 4 << 20);
    run(qw(ip link set cobalt0 up txqueuelen 10000));
    run(qw(ip route replace default dev cobalt0 table), TABLE);
    # An earlier sidecar of this network may have left its own.
    system("ip rule del fwmark ${\CAUGHT} lookup ${\TABLE} 2>/dev/null");
    run(qw(ip rule add fwmark), CAUGHT, 'lookup', TABLE);
    $tun = $device;
}

sub run {
    my @command = @_;
    system(@command) == 0 or die "@command failed\n";
}
