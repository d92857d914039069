// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * kms show [wrong|small|hot|import|export]: draw the pattern and a cursor on each connected
 * output, tell on standard output what is shown, and stay until killed. With "wrong", one pixel
 * is; with "small", the cursor is not as large as it can be; with "hot", its hotspot moves
 * alone; with the others, the buffers are shared with vgem. SIGUSR1 has it show its other
 * buffers, and tell how that went; SIGUSR2, tell the device that one pixel has changed.
 * kms list: tell which outputs are connected.
 * kms refused: are two commits of one framebuffer refused, as there is no device any more?
 * kms tiny: is a mode of 8x8 refused?
 * kms fenced: commit a buffer that vgem uses for 10 seconds, and tell when that begins and ends.
 * kms storm: use the display in all ways at once, through whatever happens to the
 * device, until killed. An error other than of a device that is gone is one. SIGUSR1 has it tell
 * how many flips there were.
 * kms kexec KERNEL INITRD LINE: run another kernel, with this command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
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

static atomic_int flips;

static void on_flip(int signal)
{
	(void)signal;
	flips++;
}

static atomic_bool dirty;

static void on_dirty(int signal)
{
	(void)signal;
	dirty = true;
}

/* One pixel of the pattern */
static int dirty_all(struct display *display)
{
	drmModeClip clip = { 0, 0, 1, 1 };
	int ret = 0;

	for (unsigned int i = 0; i < display->count && !ret; i++) {
		uint32_t fb = display->outputs[i].buffers[flips % 2].fb;

		if (drmModeDirtyFB(display->fd, fb, &clip, 1))
			ret = -errno;
	}
	return ret;
}

static int flip_all(struct display *display)
{
	int ret = 0;

	for (unsigned int i = 0; i < display->count && !ret; i++)
		ret = output_flip(display->fd, &display->outputs[i], flips);
	return ret;
}

static int show(const char *how)
{
	bool wrong = !strcmp(how, "wrong"), small = !strcmp(how, "small");
	bool import = !strcmp(how, "import"), export = !strcmp(how, "export");
	struct display display;
	int other = -1, ret = display_open(&display);

	if (ret)
		return ret;
	signal(SIGUSR1, on_flip);
	signal(SIGUSR2, on_dirty);
	if (import || export)
		other = drmOpen("vgem", NULL);
	if ((import || export) && other < 0)
		return -ENODEV;
	for (unsigned int i = 0; i < display.count; i++) {
		struct output *output = &display.outputs[i];
		unsigned int head = output->head;

		ret = output_show(display.fd, output, other, import);
		if (!ret)
			ret = output_cursor(display.fd, output, small, 100 + 10 * head,
					    50 + 10 * head);
		if (!ret && !strcmp(how, "hot"))
			ret = output_hotspot(display.fd, output, 5, 7);
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
	for (;;) {
		pause();
		if (atomic_exchange(&dirty, false))
			printf("dirty: %s\n", strerror(-dirty_all(&display)));
		else
			printf("flipped: %s\n", strerror(-flip_all(&display)));
		fflush(stdout);
	}
}

static int refused(void)
{
	struct display display;
	int ret = display_open(&display);

	if (ret)
		return ret;
	if (!display.count)
		return -ENOENT;
	ret = output_show(display.fd, &display.outputs[0], -1, false);
	if (ret == -ENODEV)
		ret = output_flip(display.fd, &display.outputs[0], 0);
	printf("the last said: %s\n", strerror(-ret));
	return ret == -ENODEV ? 0 : -EBADE;
}

static int tiny(void)
{
	drmModeModeInfo mode = { .clock = 1000, .hdisplay = 8, .hsync_start = 9, .hsync_end = 10,
				 .htotal = 12, .vdisplay = 8, .vsync_start = 9, .vsync_end = 10,
				 .vtotal = 12, .name = "8x8" };
	struct display display;
	int ret = display_open(&display);

	if (ret)
		return ret;
	if (!display.count)
		return -ENOENT;
	display.outputs[0].mode = mode;
	ret = output_show(display.fd, &display.outputs[0], -1, false);
	printf("the mode: %s\n", strerror(-ret));
	return ret == -EINVAL ? 0 : -EBADE;
}

static int fenced(void)
{
	struct display display;
	struct output *output = &display.outputs[0];
	int other = drmOpen("vgem", NULL), ret = display_open(&display);

	if (ret)
		return ret;
	if (!display.count || other < 0)
		return -ENOENT;
	ret = output_show(display.fd, output, other, true);
	if (!ret)
		ret = buffer_fence(other, &output->buffers[1]);
	if (ret)
		return ret;
	printf("waits\n");
	fflush(stdout);
	ret = output_flip(display.fd, output, 1);
	printf("committed: %s\n", strerror(-ret));
	return ret;
}

static int kexec(const char *kernel, const char *initrd, const char *line)
{
	int kernel_fd = open(kernel, O_RDONLY), initrd_fd = open(initrd, O_RDONLY);

	if (kernel_fd >= 0 && initrd_fd >= 0 &&
	    !syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, strlen(line) + 1, line, 0ul))
		reboot(RB_KEXEC);
	return -errno;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	int ret = -EINVAL;

	if (!strcmp(command, "show"))
		ret = show(argc > 2 ? argv[2] : "");
	else if (!strcmp(command, "list"))
		ret = list();
	else if (!strcmp(command, "refused"))
		ret = refused();
	else if (!strcmp(command, "tiny"))
		ret = tiny();
	else if (!strcmp(command, "fenced"))
		ret = fenced();
	else if (!strcmp(command, "storm"))
		ret = storm();
	else if (!strcmp(command, "kexec") && argc == 5)
		ret = kexec(argv[2], argv[3], argv[4]);
	if (!ret)
		return 0;
	fprintf(stderr, "kms %s: %s\n", command, strerror(-ret));
	return 1;
}
