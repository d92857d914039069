#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# functions.pl FILE...: print the functions that the files define, as "FILE:NAME". Leave out the
# bodies of macros, and the code in an "#if 0".
use strict;
use warnings;

for my $file (@ARGV) {
	open(my $in, '<', $file) or die "$file: $!\n";
	my $text = do { local $/; <$in> };
	close($in);
	$text =~ s{/\*.*?\*/}{ (my $lines = $&) =~ s/[^\n]//g; $lines }gse;
	$text =~ s{^\#\s*if\s+0\b.*?^\#\s*(?:else|elif|endif)\b}{}gms;
	while ($text =~ /^(?!extern\b|typedef\b)[a-zA-Z_][^;{}()=\#]*?\b(\w+)\s*
			 \((?:[^;{}()]|\([^;{}()]*\))*\)	# arguments
			 (?:[\s\w]|\([^;{}()]*\))*		# attributes
			 \n\{[\ \t]*$/mgx) {
		print "$file:$1\n";
	}
}
