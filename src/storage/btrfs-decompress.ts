// Decompressing files that are in use. BTRFS can only defragment what is compressed into something
// compressed: leaving it uncompressed needs a kernel and a btrfs-progs of 6.16. Every kernel can do
// this instead: the data is written anew, uncompressed, to a temporary file, and the file is then told to
// take its data from there, by FIDEDUPERANGE (ioctl_fideduperange(2)). The kernel compares the two and
// exchanges them in one step, so that nothing a client writes meanwhile is ever lost; a range that has
// changed is tried again, and then its halves. Where that doesn't help either, it has failed. Node.js has
// no ioctl; perl is part of every Debian.

/** Arguments: a temporary file on the same filesystem, and the files. Holes stay holes. */
export const DECOMPRESS_PROGRAM = `
use strict;
use Fcntl qw(O_RDWR O_NOFOLLOW O_NONBLOCK SEEK_SET);
use constant { DEDUPE => 0xC0189436, STEP => 16 * 1024 * 1024, BLOCK => 4096, TRIES => 5 };
use constant { SEEK_DATA => 3, SEEK_HOLE => 4, ENOENT => 2, EBUSY => 16, ELOOP => 40 };

my ($temporary, @paths) = @ARGV;
open(my $copy, '+<:raw', $temporary) or die "$temporary: $!\\n";
my $failed = 0;

sub exchange {
  my ($file, $from, $to) = @_;
  for (1 .. TRIES) {
    my $size = -s $file;
    return 1 if $size <= $from;
    $to = $size if $to > $size;
    truncate($copy, 0) && truncate($copy, $size) or return 0;
    sysseek($file, $from, SEEK_SET) // return 0;
    my ($data, $length) = ('', $to - $from);
    while (length($data) < $length) {
      my $got = sysread($file, $data, $length - length($data), length($data));
      return 0 if !defined $got;
      last if $got == 0;
    }
    next if length($data) < $length;
    sysseek($copy, $from, SEEK_SET) // return 0;
    (syswrite($copy, $data) // -1) == $length or return 0;
    my $request = pack('QQSSL qQQlL', $from, $length, 1, 0, 0, fileno($file), $from, 0, 0, 0);
    defined ioctl($copy, DEDUPE, $request) or return 0;
    my ($bytes, $status) = (unpack('QQSSL qQQlL', $request))[7, 8];
    if ($status < 0) { $! = -$status; return 0; }
    return 1 if $status == 0 && $bytes >= $length;
  }
  my $half = int(($to - $from) / 2 / BLOCK) * BLOCK;
  if ($half > 0) { return exchange($file, $from, $from + $half) && exchange($file, $from + $half, $to); }
  $! = EBUSY; # Somebody writes to it all the time.
  return 0;
}

sub decompress {
  my ($file) = @_;
  my $at = 0;
  while (defined(my $data = sysseek($file, $at, SEEK_DATA))) {
    my $hole = sysseek($file, $data, SEEK_HOLE) // last;
    $at = $data - $data % BLOCK;
    while ($at < $hole) {
      my $to = $at + STEP < $hole ? $at + STEP : $hole;
      exchange($file, $at, $to) or return 0;
      $at = $to;
    }
  }
  return 1;
}

for my $path (@paths) {
  my $file;
  if (!sysopen($file, $path, O_RDWR | O_NOFOLLOW | O_NONBLOCK)) {
    next if $! == ENOENT || $! == ELOOP; # A client has put something else there.
    warn "$path: $!\\n";
    $failed = 1;
    next;
  }
  next if !-f $file;
  next if decompress($file);
  warn "$path: $!\\n";
  $failed = 1;
}
truncate($copy, 0);
exit $failed;
`;
