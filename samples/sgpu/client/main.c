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
	fputs("usage: sgpu demo INPUT OUTPUT   carry a file through two devices, then unplug one\n"
	      "       sgpu selftest            check every call of the driver\n"
	      "       sgpu stress SECONDS      call everything from many threads; devices may come and go\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(command, "demo") && argc == 4)
		return demo(argv[2], argv[3]);
	if (!strcmp(command, "selftest") && argc == 2)
		return selftest();
	if (!strcmp(command, "stress") && argc == 3) {
		unsigned long seconds;
		char *end;

		errno = 0;
		seconds = strtoul(argv[2], &end, 10);
		if (!errno && *end == 0 && seconds && seconds <= INT_MAX)
			return stress(seconds);
	}
	return bad_arguments();
}
