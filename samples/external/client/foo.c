// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A client to begin with: it finds the device of the driver "foo" and asks for its version.
 *
 *	make try DIR=samples/external CLIENT=<this file>
 *
 * compiles it statically, and runs it in the guest while the driver is loaded. The exit status
 * says how it went. A line that begins with "ok" or "not ok" counts as a result of its own.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <drm/drm.h>

/* Opens a render node, if it is one of the driver's. */
static int open_node(int number, const char *driver)
{
	char path[32], name[32] = "";
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
	int fd;

	snprintf(path, sizeof(path), "/dev/dri/renderD%d", number);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (!ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, driver)) {
		printf("%s is a %s, version %d.%d\n", path, name, version.version_major,
		       version.version_minor);
		return fd;
	}
	close(fd);
	return -1;
}

int main(void)
{
	int number, fd = -1;

	for (number = 128; fd < 0 && number < 192; number++)
		fd = open_node(number, "foo");
	if (fd < 0) {
		fprintf(stderr, "there is no device of foo\n");
		return 1;
	}
	close(fd);
	return 0;
}
