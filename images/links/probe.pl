# Looks from one member to others, or asks the sidecar in whose container it runs.
#   ask LINE                                 prints the sidecar's answer
#   connect WITHIN_MS PEER...                a line each: PEER OUTCOME MS
#   send PROBE COUNT BYTES PEER...           datagrams, to each peer
#   heard PROBE COUNT WITHIN_MS SENDER...    a line each: SENDER SENT:CAME ..., once so many came
# OUTCOME of a TCP connection: answered, mute (open, and what was sent came not back),
# refused, reset, silent.
use strict;
use warnings;
use lib '/opt/cobalt';
use clock;
use Errno qw(ECONNREFUSED EINPROGRESS);
use Fcntl;
use Socket;

use constant { PORT => 9797, LOOK_EVERY_S => 0.01 };
$SIG{PIPE} = 'IGNORE';

my ($command, @arguments) = @ARGV;
my %commands = (ask => \&ask, connect => \&connect_to, send => \&send_to, heard => \&heard_from);
($commands{ $command // '' } or die "no such command\n")->(@arguments);

sub ask {
    my $answer = asked($_[0]);
    die $answer if $answer =~ /^failed/;
    print $answer;
}

sub asked {
    socket(my $sidecar, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
    my $deadline = now_ms() + 5_000;
    # It may not have begun to listen.
    until (connect($sidecar, pack_sockaddr_un('/run/sidecar.sock'))) {
        die "the sidecar does not answer: $!\n" if now_ms() > $deadline;
        select(undef, undef, undef, LOOK_EVERY_S);
    }
    syswrite $sidecar, "$_[0]\n";
    return <$sidecar> // die "the sidecar hung up\n";
}

sub connect_to {
    my ($within, @peers) = @_;
    my $begun = now_ms();
    my %open = map { my $socket = begin($_); ($_ => { socket => $socket }) } @peers;
    my $report = sub {
        my ($peer, $outcome) = @_;
        printf "%s %s %.3f\n", $peer, $outcome, now_ms() - $begun;
        delete $open{$peer};
    };
    while (%open && (my $left = $begun + $within - now_ms()) > 0) {
        my ($readable, $writable) = ('', '');
        for my $try (values %open) {
            my $set = $try->{connected} ? \$readable : \$writable;
            vec($$set, fileno $try->{socket}, 1) = 1;
        }
        select($readable, $writable, undef, $left / 1000) > 0 or next;
        for my $peer (keys %open) {
            my $try = $open{$peer};
            my $descriptor = fileno $try->{socket};
            if (!$try->{connected} && vec($writable, $descriptor, 1)) {
                my $error = unpack 'i', getsockopt($try->{socket}, SOL_SOCKET, SO_ERROR);
                if ($error) { $report->($peer, $error == ECONNREFUSED ? 'refused' : 'silent'); next }
                $try->{connected} = 1;
                syswrite $try->{socket}, "hello\n";
            }
            elsif ($try->{connected} && vec($readable, $descriptor, 1)) {
                $report->($peer, sysread($try->{socket}, my $text, 64) ? 'answered' : 'reset');
            }
        }
    }
    $report->($_, $open{$_}{connected} ? 'mute' : 'silent') for sort keys %open;
}

sub begin {
    my ($peer) = @_;
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
    fcntl($socket, F_SETFL, O_NONBLOCK);
    connect($socket, pack_sockaddr_in(PORT, inet_aton($peer))) or $! == EINPROGRESS or warn "$peer: $!\n";
    return $socket;
}

sub send_to {
    my ($probe, $count, $bytes, @peers) = @_;
    socket(my $socket, PF_INET, SOCK_DGRAM, 0) or die "socket: $!\n";
    setsockopt($socket, SOL_SOCKET, SO_SNDBUF, 4 << 20);
    my @targets = map { pack_sockaddr_in(PORT, inet_aton($_)) } @peers;
    for (1 .. $count) {
        for my $target (@targets) {
            my $text = sprintf '%s %.3f ', $probe, now_ms();
            send $socket, $text . 'x' x ($bytes - length $text), 0, $target;
        }
    }
}

sub heard_from {
    my ($probe, $count, $within, @senders) = @_;
    my $deadline = now_ms() + $within;
    for my $sender (@senders) {
        my @came;
        while (1) {
            @came = split ' ', asked("heard $probe $sender");
            last if @came >= $count || now_ms() >= $deadline;
            select(undef, undef, undef, LOOK_EVERY_S);
        }
        print join(' ', $sender, @came), "\n";
    }
}
