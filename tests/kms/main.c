// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * kms show [wrong|small]: draw the pattern and a cursor on each connected output, tell on
 * standard output what is shown, and stay until killed. With "wrong", one pixel is; with
 * "small", the cursor is not as large as it can be.
 * kms list: tell which outputs are connected.
 * kms storm: use the display in all ways at once, through whatever happens to the
 * device, until killed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kms.h"

static int list(void)
{
	struct display display;
	int ret = display_open(&display);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < display.count; i++)
		printf("%u %u %u\n", display.outputs[i].head,
		       display.outputs[i].mode.hdisplay, display.outputs[i].mode.vdisplay);
	display_close(&display);
	return 0;
}

static int show(const char *how)
{
	bool wrong = !strcmp(how, "wrong"), small = !strcmp(how, "small");
	struct display display;
	int ret = display_open(&display);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < display.count; i++) {
		struct output *output = &display.outputs[i];
		unsigned int head = output->head;

		ret = output_show(display.fd, output);
		if (!ret)
			ret = output_cursor(display.fd, output, small, 100 + 10 * head,
					    50 + 10 * head);
		if (ret)
			return ret;
		if (wrong) {
			*buffer_pixel(&output->buffers[0], 123, 45) ^= 1;
			drmModeDirtyFB(display.fd, output->buffers[0].fb, NULL, 0);
		}
		printf("%u %u %u %d %d\n", head, output->mode.hdisplay, output->mode.vdisplay,
		       100 + 10 * head, 50 + 10 * head);
	}
	printf("shown\n");
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	int ret = -EINVAL;

	if (!strcmp(command, "show"))
		ret = show(argc > 2 ? argv[2] : "");
	else if (!strcmp(command, "list"))
		ret = list();
	else if (!strcmp(command, "storm"))
		ret = storm();
	if (!ret)
		return 0;
	fprintf(stderr, "kms %s: %s\n", command, strerror(-ret));
	return 1;
}
