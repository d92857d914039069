/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Declarations for all parts of the client: outputs, and buffers to show on them.
 */
#ifndef _KMS_H
#define _KMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

#define CURSOR_SIZE	64
#define SMALL_WIDTH	32
#define SMALL_HEIGHT	24
#define MAX_OUTPUTS	16

/* A dumb buffer, mapped, with 32 bits a pixel */
struct buffer {
	uint32_t handle;
	uint32_t fb;		/* 0 unless it can be shown */
	uint32_t width, height;
	uint32_t stride;	/* bytes */
	uint64_t size;
	void *map;
	int dmabuf;		/* 0, or the file descriptor for sharing */
};

/* A connected output, with its buffer */
struct output {
	unsigned int head;	/* number of the connector, from 0 */
	uint32_t connector;
	uint32_t crtc;
	drmModeModeInfo mode;
	struct buffer buffers[2];
	struct buffer cursor;
};

/* An open device and its connected outputs */
struct display {
	int fd;
	struct output outputs[MAX_OUTPUTS];
	unsigned int count;
};

/* All but the first return 0 or a negative error number. */
uint32_t pattern(unsigned int head, uint32_t x, uint32_t y);
int buffer_create(int fd, struct buffer *buffer, uint32_t width, uint32_t height);
void buffer_destroy(int fd, struct buffer *buffer);
void buffer_draw(struct buffer *buffer, unsigned int head);
void buffer_draw_cursor(struct buffer *buffer, unsigned int head);
uint32_t *buffer_pixel(const struct buffer *buffer, uint32_t x, uint32_t y);
int buffer_import(int fd, int other, struct buffer *buffer);
int buffer_export(int fd, int other, struct buffer *buffer);
void buffer_access(struct buffer *buffer, bool end);
int buffer_fence(int other, struct buffer *buffer);
int display_open(struct display *display);
void display_close(struct display *display);
int output_show(int fd, struct output *output, int other, bool import);
int output_flip(int fd, struct output *output, unsigned int n);
int output_hotspot(int fd, struct output *output, int x, int y);
int output_cursor(int fd, struct output *output, bool small, int x, int y);

int storm(void);

#endif
