# Mounts volumes by the kernel that it runs on, and uses what is mounted: in the virtual machine of
# a consumer, or beside the consumer where the host's kernel has an NFS client. It listens for
# src/rig/consumer/agent-client.ts. Each connection has a process of its own, whose id is said first:
# one that waits for a server that is silent keeps nobody else waiting, and can be killed.
#
# A request is a line of words, encoded as in URLs; that of `write` is followed by so many bytes.
# An answer is `ok <bytes>` or `failed <errno> <bytes>`, and the bytes. `run` answers before that
# with `out <bytes>` and `err <bytes>` as they come.
use strict;
use warnings;
use Errno;
use Fcntl;
use IO::Handle;
use Socket;

use constant RNDRESEEDCRNG => 0x5207;

my %verbs = (
    hello => sub { '' },
    wake => \&wake,
    mount => \&mount_volume,
    unmount => \&unmount_volume,
    mounts => sub { join '', grep { / nfs4 / } lines('/proc/mounts') },
    kill => sub { kill 'KILL', -$_[1]; '' },
    run => \&run,
    open => \&open_file,
    write => \&write_file,
    read => \&read_file,
);
# The file that this connection has open.
my $open;

listen_at(@ARGV) if @ARGV;

sub listen_at {
    my ($address, $port) = @_;
    if (!eval { command('mount', '-t', 'nfs4', '-o', 'no-such-option,addr=127.0.0.1', '127.0.0.1:/', '/mnt'); 1 } && $@ =~ /^ENODEV /) {
        print "this kernel has no NFS client\n";
        exit 3;
    }
    socket(my $listener, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
    setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
    bind($listener, pack_sockaddr_in($port, inet_aton($address))) or die "bind $address:$port: $!\n";
    listen($listener, 128) or die "listen: $!\n";
    # Also whatever becomes an orphan, where this is the first process.
    $SIG{CHLD} = 'IGNORE';
    STDOUT->autoflush(1);
    print "agent is ready\n";
    while (1) {
        accept(my $peer, $listener) or next;
        my $pid = fork // next;
        next if $pid;
        close $listener;
        $SIG{CHLD} = 'DEFAULT';
        setpgrp;
        serve($peer);
        exit 0;
    }
}

sub serve {
    my ($peer) = @_;
    binmode $peer;
    $peer->autoflush(1);
    print $peer "$$\n";
    while (defined(my $line = <$peer>)) {
        chomp $line;
        my ($verb, @words) = map { s/%([0-9A-Fa-f]{2})/chr hex $1/ger } split / /, $line, -1;
        my $answer = eval { ($verbs{$verb} // die "EINVAL no verb $verb\n")->($peer, @words) };
        if (defined $answer) { print $peer 'ok ', length $answer, "\n", $answer }
        else {
            my ($errno, $text) = $@ =~ /^(E[A-Z0-9]+) (.*)/s ? ($1, $2) : ('EIO', $@);
            print $peer "failed $errno ", length $text, "\n", $text;
        }
    }
}

# Errors of the system by their names, as applications know them.
sub fail {
    my ($what) = @_;
    my ($name) = grep { $!{$_} } sort keys %!;
    die +($name // 'EIO') . " $what: $!\n";
}

sub lines {
    my ($path) = @_;
    open my $file, '<', $path or fail("open $path");
    return <$file>;
}

# What a machine must not share with others that go on from the same state: its name and the number by which servers know
# their clients apart, since two that are taken for one would end each other's leases; the time; and what is random.
sub wake {
    my (undef, $hostname, $seconds, $randomness) = @_;
    put('/proc/sys/kernel/hostname', $hostname);
    put('/sys/module/nfs/parameters/nfs4_unique_id', substr $randomness, 0, 16);
    command('date', '-u', '-s', "\@$seconds");
    put('/dev/urandom', pack 'H*', $randomness);
    open my $random, '>', '/dev/urandom' or fail('open /dev/urandom');
    ioctl $random, RNDRESEEDCRNG, 0 or fail('reseed');
    return '';
}

sub put {
    my ($path, $text) = @_;
    open my $file, '>', $path or fail("open $path");
    syswrite $file, $text or fail("write $path");
    close $file or fail("write $path");
}

sub mount_volume {
    my (undef, $source, $at, $options) = @_;
    my $path = '';
    for my $part (grep { length } split m{/}, $at) {
        $path .= "/$part";
        mkdir $path or $!{EEXIST} or fail("mkdir $path");
    }
    command('mount', '-t', 'nfs4', '-o', $options, $source, $at);
    return '';
}

# At once, whoever uses it and whatever the server does: calls that wait for it end with an error. The
# folder goes too, so that nobody takes it for the volume.
sub unmount_volume {
    my (undef, $at) = @_;
    command('umount', '-f', '-l', $at);
    rmdir $at;
    return '';
}

sub command {
    my @words = ('busybox', @_);
    my $pid = open(my $output, '-|') // fail('fork');
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        exec @words or exit 127;
    }
    my $text = join '', <$output>;
    close $output;
    return if $? == 0;
    chomp $text;
    $text = "$_[0] exited with " . ($? >> 8) if $text eq '';
    # By the words of mount(8), which are strerror's.
    my ($name) = grep { local $! = Errno->can($_)->(); index($text, "$!") >= 0 } sort grep { /^E[A-Z]/ } keys %!;
    die +($name // 'EIO') . " $text\n";
}

sub run {
    my ($peer, @words) = @_;
    pipe(my $out, my $out_end) or fail('pipe');
    pipe(my $err, my $err_end) or fail('pipe');
    my $pid = fork // fail('fork');
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $out_end;
        open STDERR, '>&', $err_end;
        no warnings 'exec';
        exec { $words[0] } @words or do { print STDERR "$words[0]: $!\n"; exit 127 };
    }
    close $out_end;
    close $err_end;
    my %open = (fileno $out => [out => $out], fileno $err => [err => $err]);
    while (%open) {
        my $bits = '';
        vec($bits, $_, 1) = 1 for keys %open;
        select($bits, undef, undef, undef);
        for my $number (grep { vec($bits, $_, 1) } keys %open) {
            my ($name, $handle) = @{ $open{$number} };
            my $count = sysread $handle, my $bytes, 65536;
            if ($count) { print $peer "$name $count\n", $bytes }
            else { delete $open{$number} }
        }
    }
    waitpid $pid, 0;
    return $? & 127 ? 128 + ($? & 127) : $? >> 8;
}

# O_DIRECT: what is read comes from the server and not from memory, and what is written has
# been sent when the call returns.
sub open_file {
    my (undef, $path, $mode) = @_;
    # Where the volume is not mounted any more there may be its folder still.
    my $folder = $path =~ s{/[^/]*$}{}r;
    my @on = stat "$folder/.";
    fail("open $path") unless @on || $!{ENOENT};
    die "ENODEV nothing is mounted at $folder\n" if !@on || $on[0] == (stat '/')[0];
    my $flags = O_DIRECT | ($mode eq 'rw' ? O_RDWR | O_CREAT : O_RDONLY);
    sysopen($open, $path, $flags, 0660) or fail("open $path");
    return '';
}

sub write_file {
    my ($peer, $bytes) = @_;
    my $content = '';
    while (length $content < $bytes) {
        read($peer, $content, $bytes - length $content, length $content) or exit 0;
    }
    die "EBADF no file is open\n" unless $open;
    defined sysseek($open, 0, 0) or fail('seek');
    for (my $done = 0; $done < $bytes;) {
        $done += syswrite($open, $content, $bytes - $done, $done) // fail('write');
    }
    $open->sync or fail('fsync');
    return '';
}

sub read_file {
    my (undef, $bytes) = @_;
    die "EBADF no file is open\n" unless $open;
    defined sysseek($open, 0, 0) or fail('seek');
    my $content = '';
    while (length $content < $bytes) {
        my $count = sysread($open, $content, $bytes - length $content, length $content) // fail('read');
        last if $count == 0;
    }
    return $content;
}

1;
