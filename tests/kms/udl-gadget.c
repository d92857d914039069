// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A display for the kernel's udl driver, on a USB bus of software: udl-gadget DIR, where
 * FunctionFS is mounted. It answers what the driver asks for, and drops what is drawn.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/usb/functionfs.h>

/* udl writes to endpoint 1. dummy_hcd has it as the fourth that can be had for bulk data to it. */
#define ENDPOINTS	4

/* The driver's requests */
#define REQUEST_EDID	2

struct descriptors {
	struct usb_interface_descriptor interface;
	struct usb_endpoint_descriptor_no_audio endpoint[ENDPOINTS];
} __attribute__((packed));

struct message {
	struct usb_functionfs_descs_head_v2 head;
	uint32_t full_count, high_count;
	struct descriptors full, high;
} __attribute__((packed));

/* Without the checksum: one mode, 1024x768 */
static uint8_t edid[128] = {
	0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,
	[8] = 0x04, 0x21, 1, [16] = 1, 30, 1, 3,
	[20] = 0x80, 30, 20, 0x78, 0x0a, 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54,
	[35] = 0, 8, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	[54] = 0x64, 0x19, 0x00, 0x40, 0x41, 0x00, 0x26, 0x30, 0x18, 0x88, 0x36, 0x00, 0x2c, 0xc8,
	0x10, 0, 0, 0x18,
	[75] = 0x10, [93] = 0x10, [111] = 0x10,
};

static struct descriptors describe(unsigned int packet)
{
	struct descriptors all = {
		.interface = {
			.bLength = sizeof(all.interface),
			.bDescriptorType = USB_DT_INTERFACE,
			.bNumEndpoints = ENDPOINTS,
			.bInterfaceClass = USB_CLASS_VENDOR_SPEC,
			.iInterface = 1,
		},
	};

	for (unsigned int i = 0; i < ENDPOINTS; i++) {
		all.endpoint[i].bLength = sizeof(all.endpoint[i]);
		all.endpoint[i].bDescriptorType = USB_DT_ENDPOINT;
		all.endpoint[i].bEndpointAddress = i + 1;
		all.endpoint[i].bmAttributes = USB_ENDPOINT_XFER_BULK;
		all.endpoint[i].wMaxPacketSize = htole16(packet);
	}
	return all;
}

static int introduce(int ep0)
{
	struct message message = {
		.head = {
			.magic = htole32(FUNCTIONFS_DESCRIPTORS_MAGIC_V2),
			.length = htole32(sizeof(message)),
			.flags = htole32(FUNCTIONFS_HAS_FS_DESC | FUNCTIONFS_HAS_HS_DESC |
					 FUNCTIONFS_ALL_CTRL_RECIP),
		},
		.full_count = htole32(1 + ENDPOINTS),
		.high_count = htole32(1 + ENDPOINTS),
		.full = describe(64),
		.high = describe(512),
	};
	struct {
		struct usb_functionfs_strings_head head;
		uint16_t language;
		char name[4];
	} __attribute__((packed)) strings = {
		.head = {
			.magic = htole32(FUNCTIONFS_STRINGS_MAGIC),
			.length = htole32(sizeof(strings)),
			.str_count = htole32(1),
			.lang_count = htole32(1),
		},
		.language = htole16(0x0409),
		.name = "udl",
	};

	return write(ep0, &message, sizeof(message)) == sizeof(message) &&
	       write(ep0, &strings, sizeof(strings)) == sizeof(strings) ? 0 : -errno;
}

/* Reads drawn data. Fails before the host has set up the device, and after it has reset it. */
static void *drop(void *name)
{
	static char buf[64 << 10];
	int fd = open(name, O_RDONLY);

	while (fd >= 0)
		if (read(fd, buf, sizeof(buf)) < 0)
			usleep(10000);
	fprintf(stderr, "udl-gadget: %s: %s\n", (const char *)name, strerror(errno));
	return NULL;
}

/* An answer, or the opposite of what was asked for, which makes the host's request fail. */
static ssize_t answer(int ep0, const struct usb_ctrlrequest *setup)
{
	uint16_t length = le16toh(setup->wLength);
	uint8_t byte[2] = { 0, edid[(le16toh(setup->wValue) >> 8) % sizeof(edid)] };
	char buf[256];

	if (!(setup->bRequestType & USB_DIR_IN))
		return read(ep0, buf, length < sizeof(buf) ? length : sizeof(buf));
	if (setup->bRequest == REQUEST_EDID)
		return write(ep0, byte, length < sizeof(byte) ? length : sizeof(byte));
	return read(ep0, buf, 0);
}

int main(int argc, char **argv)
{
	struct usb_functionfs_event event;
	char ep[256], bulk[256];
	pthread_t thread;
	int ep0;

	if (argc != 2)
		return 2;
	for (unsigned int i = 0; i < sizeof(edid) - 1; i++)
		edid[sizeof(edid) - 1] -= edid[i];
	snprintf(ep, sizeof(ep), "%s/ep0", argv[1]);
	snprintf(bulk, sizeof(bulk), "%s/ep%d", argv[1], ENDPOINTS);
	ep0 = open(ep, O_RDWR);
	if (ep0 < 0 || introduce(ep0)) {
		perror("udl-gadget");
		return 1;
	}
	if (pthread_create(&thread, NULL, drop, bulk))
		return 1;
	while (read(ep0, &event, sizeof(event)) == sizeof(event))
		if (event.type == FUNCTIONFS_SETUP)
			answer(ep0, &event.u.setup);
	perror("udl-gadget");
	return 1;
}
