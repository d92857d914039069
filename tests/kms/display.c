// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Devices with displays, through the ioctls that every one of them has.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include <drm_fourcc.h>

#include "kms.h"

/* DRM_CLIENT_CAP_CURSOR_PLANE_HOTSPOT, which not every libdrm knows */
#define CAP_CURSOR_PLANE_HOTSPOT	6

/* The host of a guest computes the same, and compares. */
uint32_t pattern(unsigned int head, uint32_t x, uint32_t y)
{
	uint32_t red = (x * 7 + head * 85) & 0xff;
	uint32_t green = (y * 5 + head * 31) & 0xff;
	uint32_t blue = (x ^ y) & 0xff;

	return red << 16 | green << 8 | blue;
}

uint32_t *buffer_pixel(const struct buffer *buffer, uint32_t x, uint32_t y)
{
	return (uint32_t *)((char *)buffer->map + y * buffer->stride) + x;
}

void buffer_draw(struct buffer *buffer, unsigned int head)
{
	for (uint32_t y = 0; y < buffer->height; y++)
		for (uint32_t x = 0; x < buffer->width; x++)
			*buffer_pixel(buffer, x, y) = pattern(head, x, y);
}

/* Opaque in its upper half, transparent and so black in its lower */
void buffer_draw_cursor(struct buffer *buffer, unsigned int head)
{
	for (uint32_t y = 0; y < buffer->height; y++)
		for (uint32_t x = 0; x < buffer->width; x++)
			*buffer_pixel(buffer, x, y) = y < buffer->height / 2 ?
				0xff000000 | pattern(head + 1, x, y) : 0;
}

int buffer_create(int fd, struct buffer *buffer, uint32_t width, uint32_t height)
{
	uint64_t offset;
	void *map;

	memset(buffer, 0, sizeof(*buffer));
	if (drmModeCreateDumbBuffer(fd, width, height, 32, 0, &buffer->handle,
				    &buffer->stride, &buffer->size))
		return -errno;
	buffer->width = width;
	buffer->height = height;
	if (drmModeMapDumbBuffer(fd, buffer->handle, &offset))
		goto failed;
	map = mmap(NULL, buffer->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	if (map == MAP_FAILED)
		goto failed;
	buffer->map = map;
	return 0;

failed:
	buffer_destroy(fd, buffer);
	return -errno;
}

/* Begin or end an access of the CPU to a buffer that is shared. */
void buffer_access(struct buffer *buffer, bool end)
{
	struct dma_buf_sync sync = {
		.flags = DMA_BUF_SYNC_WRITE | (end ? DMA_BUF_SYNC_END : DMA_BUF_SYNC_START),
	};

	if (buffer->dmabuf)
		ioctl(buffer->dmabuf, DMA_BUF_IOCTL_SYNC, &sync);
}

static int share(int from, int to, struct buffer *buffer, uint32_t *handle)
{
	if (drmPrimeHandleToFD(from, buffer->handle, DRM_CLOEXEC | DRM_RDWR, &buffer->dmabuf) ||
	    drmPrimeFDToHandle(to, buffer->dmabuf, handle))
		return -errno;
	return 0;
}

/* Have a buffer of another device's, with its mapping, in place of one of this. */
int buffer_import(int fd, int other, struct buffer *buffer)
{
	uint32_t width = buffer->width, height = buffer->height;
	int ret;

	buffer_destroy(fd, buffer);
	ret = buffer_create(other, buffer, width, height);
	return ret ? ret : share(other, fd, buffer, &buffer->handle);
}

/* Have vgem use an imported buffer until it gives up, which is 10 seconds later. */
int buffer_fence(int other, struct buffer *buffer)
{
	/* Not every libdrm has vgem_drm.h. */
	struct {
		uint32_t handle, flags, out_fence, pad;
	} attach = { .flags = 1 };	/* for writing */

	if (drmPrimeFDToHandle(other, buffer->dmabuf, &attach.handle) ||
	    drmIoctl(other, DRM_IOWR(DRM_COMMAND_BASE + 1, attach), &attach))
		return -errno;
	return 0;
}

/* Gives a buffer to another device, and maps the shared one. */
int buffer_export(int fd, int other, struct buffer *buffer)
{
	uint32_t handle;
	int ret = share(fd, other, buffer, &handle);

	if (ret)
		return ret;
	munmap(buffer->map, buffer->size);
	buffer->map = mmap(NULL, buffer->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			   buffer->dmabuf, 0);
	if (buffer->map != MAP_FAILED)
		return 0;
	buffer->map = NULL;
	return -errno;
}

/* Keeps errno, for callers on an error path. */
void buffer_destroy(int fd, struct buffer *buffer)
{
	int error = errno;

	if (buffer->fb)
		drmModeRmFB(fd, buffer->fb);
	if (buffer->map)
		munmap(buffer->map, buffer->size);
	if (buffer->handle)
		drmModeDestroyDumbBuffer(fd, buffer->handle);
	if (buffer->dmabuf)
		close(buffer->dmabuf);
	memset(buffer, 0, sizeof(*buffer));
	errno = error;
}

static int buffer_add_fb(int fd, struct buffer *buffer)
{
	uint32_t handles[4] = { buffer->handle };
	uint32_t strides[4] = { buffer->stride };
	uint32_t offsets[4] = { 0 };

	if (drmModeAddFB2(fd, buffer->width, buffer->height, DRM_FORMAT_XRGB8888,
			  handles, strides, offsets, &buffer->fb, 0))
		return -errno;
	return 0;
}

/* The connector's own CRTC, as connector n of a virtual device drives scanout n */
static uint32_t crtc_of(int fd, const drmModeRes *res, const drmModeConnector *connector)
{
	drmModeEncoder *encoder;
	uint32_t crtc = 0;

	if (!connector->count_encoders)
		return 0;
	encoder = drmModeGetEncoder(fd, connector->encoders[0]);
	if (!encoder)
		return 0;
	for (int i = 0; i < res->count_crtcs; i++) {
		if (encoder->possible_crtcs & 1u << i) {
			crtc = res->crtcs[i];
			break;
		}
	}
	drmModeFreeEncoder(encoder);
	return crtc;
}

static void add_output(struct display *display, const drmModeRes *res, unsigned int head)
{
	drmModeConnector *connector = drmModeGetConnector(display->fd, res->connectors[head]);
	struct output *output = &display->outputs[display->count];

	if (!connector)
		return;
	if (connector->connection == DRM_MODE_CONNECTED && connector->count_modes) {
		memset(output, 0, sizeof(*output));
		output->head = head;
		output->connector = connector->connector_id;
		output->crtc = crtc_of(display->fd, res, connector);
		output->mode = connector->modes[0];
		for (int i = connector->count_modes - 1; i >= 0; i--)
			if (connector->modes[i].type & DRM_MODE_TYPE_PREFERRED)
				output->mode = connector->modes[i];
		display->count++;
	}
	drmModeFreeConnector(connector);
}

/* The first device with a display. */
int display_open(struct display *display)
{
	drmModeRes *res = NULL;
	glob_t nodes;

	memset(display, 0, sizeof(*display));
	display->fd = -1;
	if (glob("/dev/dri/card*", 0, NULL, &nodes))
		return -ENODEV;
	for (size_t i = 0; i < nodes.gl_pathc && !res; i++) {
		display->fd = open(nodes.gl_pathv[i], O_RDWR | O_CLOEXEC);
		if (display->fd < 0)
			continue;
		res = drmModeGetResources(display->fd);
		if (!res)
			close(display->fd);
	}
	globfree(&nodes);
	if (!res)
		return -ENODEV;
	for (int i = 0; i < res->count_connectors && i < MAX_OUTPUTS; i++)
		add_output(display, res, i);
	drmModeFreeResources(res);
	return 0;
}

void display_close(struct display *display)
{
	for (unsigned int i = 0; i < display->count; i++) {
		struct output *output = &display->outputs[i];

		buffer_destroy(display->fd, &output->cursor);
		buffer_destroy(display->fd, &output->buffers[0]);
		buffer_destroy(display->fd, &output->buffers[1]);
	}
	close(display->fd);
	display->count = 0;
}

/*
 * Show the pattern. With another device, the buffers are imported from that, or exported to it.
 */
int output_show(int fd, struct output *output, int other, bool import)
{
	int ret;

	for (int i = 0; i < 2; i++) {
		struct buffer *buffer = &output->buffers[i];

		ret = buffer_create(fd, buffer, output->mode.hdisplay, output->mode.vdisplay);
		if (!ret && other >= 0)
			ret = import ? buffer_import(fd, other, buffer) :
				       buffer_export(fd, other, buffer);
		if (!ret)
			ret = buffer_add_fb(fd, buffer);
		if (ret)
			return ret;
		buffer_access(buffer, false);
		buffer_draw(buffer, output->head);
		buffer_access(buffer, true);
	}
	return output_flip(fd, output, 0);
}

/* Show one of the two buffers. */
int output_flip(int fd, struct output *output, unsigned int n)
{
	if (drmModeSetCrtc(fd, output->crtc, output->buffers[n % 2].fb, 0, 0,
			   &output->connector, 1, &output->mode))
		return -errno;
	return 0;
}

/* property FD PLANE NAME: its id, and its value; 0 if the plane has none of that name. */
static uint32_t property(int fd, uint32_t plane, const char *name, uint64_t *value)
{
	drmModeObjectProperties *all = drmModeObjectGetProperties(fd, plane, DRM_MODE_OBJECT_PLANE);
	uint32_t id = 0;

	for (uint32_t i = 0; all && i < all->count_props; i++) {
		drmModePropertyRes *prop = drmModeGetProperty(fd, all->props[i]);

		if (prop && !strcmp(prop->name, name)) {
			id = prop->prop_id;
			*value = all->prop_values[i];
		}
		drmModeFreeProperty(prop);
	}
	drmModeFreeObjectProperties(all);
	return id;
}

/* The cursor plane that the output uses; 0 if there is none. */
static uint32_t cursor_plane(int fd, const struct output *output)
{
	drmModePlaneRes *planes = drmModeGetPlaneResources(fd);
	uint64_t type = 0, crtc = 0;
	uint32_t plane = 0;

	for (uint32_t i = 0; planes && i < planes->count_planes; i++) {
		property(fd, planes->planes[i], "type", &type);
		property(fd, planes->planes[i], "CRTC_ID", &crtc);
		if (type == DRM_PLANE_TYPE_CURSOR && crtc == output->crtc)
			plane = planes->planes[i];
	}
	drmModeFreePlaneResources(planes);
	return plane;
}

/* Set two properties of a plane in one commit. */
static int set_plane(int fd, uint32_t plane, const char *name1, uint64_t value1,
		     const char *name2, uint64_t value2)
{
	drmModeAtomicReq *req = drmModeAtomicAlloc();
	uint64_t old;
	int ret = 0;

	drmModeAtomicAddProperty(req, plane, property(fd, plane, name1, &old), value1);
	drmModeAtomicAddProperty(req, plane, property(fd, plane, name2, &old), value2);
	if (drmModeAtomicCommit(fd, req, 0, NULL))
		ret = -errno;
	drmModeAtomicFree(req);
	return ret;
}

/* Move the hotspot of a cursor that is shown, and nothing else. No part of it can be shown. */
int output_hotspot(int fd, struct output *output, int x, int y)
{
	uint32_t plane;

	if (drmSetClientCap(fd, DRM_CLIENT_CAP_ATOMIC, 1) ||
	    drmSetClientCap(fd, CAP_CURSOR_PLANE_HOTSPOT, 1))
		return -errno;
	plane = cursor_plane(fd, output);
	if (!plane)
		return -ENOENT;
	if (set_plane(fd, plane, "SRC_W", 32 << 16, "CRTC_W", 32) != -EINVAL)
		return -EBADE;
	return set_plane(fd, plane, "HOTSPOT_X", x, "HOTSPOT_Y", y);
}

/* Show the cursor there. */
int output_cursor(int fd, struct output *output, bool small, int x, int y)
{
	uint32_t width = small ? SMALL_WIDTH : CURSOR_SIZE;
	uint32_t height = small ? SMALL_HEIGHT : CURSOR_SIZE;
	int ret = buffer_create(fd, &output->cursor, width, height);

	if (ret)
		return ret;
	buffer_draw_cursor(&output->cursor, output->head);
	if (drmModeSetCursor(fd, output->crtc, output->cursor.handle, width, height) ||
	    drmModeMoveCursor(fd, output->crtc, x, y))
		return -errno;
	return 0;
}
