// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Client of sgpu, the sample driver of the DRM safe helpers.
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static int bad_arguments(void)
{
	fputs("usage: sgpu account KIND COUNT  allocate COUNT, or until it fails, and wait\n"
	      "       sgpu demo INPUT OUTPUT   carry a file through two devices, then unplug one\n"
	      "       sgpu selftest            check every call of the driver\n"
	      "       sgpu stress SECONDS [UNBINDS]\n"
	      "                                call everything from many threads; devices may come and go\n",
	      stderr);
	return 2;
}

/* ULONG_MAX if it is none */
static unsigned long number(const char *text)
{
	unsigned long ret;
	char *end;

	errno = 0;
	ret = strtoul(text, &end, 10);
	return errno || end == text || *end ? ULONG_MAX : ret;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(command, "account") && argc == 4 && number(argv[3]) != ULONG_MAX)
		return account(argv[2], number(argv[3]));
	if (!strcmp(command, "demo") && argc == 4)
		return demo(argv[2], argv[3]);
	if (!strcmp(command, "selftest") && argc == 2)
		return selftest();
	if (!strcmp(command, "stress") && (argc == 3 || argc == 4)) {
		unsigned long seconds = number(argv[2]);
		unsigned long unbinds = argc == 4 ? number(argv[3]) : 0;

		if (seconds && seconds <= INT_MAX && unbinds <= INT_MAX)
			return stress(seconds, unbinds);
	}
	return bad_arguments();
}
