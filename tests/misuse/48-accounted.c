// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 48
// title: allocation for userspace that is not accounted or not bounded
// rust: no
// wrong: COPY C: the copy that vmemdup_array_user\(\) makes is not charged to the client
// wrong: FLAGS C: memory that kvmalloc_array\(\) allocates is not charged to the client
// wrong: NO_FLAGS C: memory that kvzalloc_objs\(\) allocates is not charged to the client
// wrong: INDEX C: memory that xa_alloc\(\) allocates is not charged to the client
// wrong: ARRAY C: the nodes of 'marks' are not charged to the client: give xa_init_flags\(\) XA_FLAGS_ACCOUNT
// run: drm_shmem_prime.accounted: Memory that an ioctl allocates for objects and tables is charged.

#include <linux/uaccess.h>
#include <linux/xarray.h>

#include "foo.h"

struct drm_foo_submit {
	u64 cmds;
	u32 count;
	u32 id;
};

#define FOO_MAX_CMDS	1024

int foo_ioctl_submit(struct drm_dev_ctx_ioctl *ioctl, struct drm_foo_submit *args,
		     struct drm_file *file)
{
	u64 *cmds __free(kvfree) = NULL;

	if (!args->count || args->count > FOO_MAX_CMDS)
		return -EINVAL;

#if defined(COPY)
	cmds = vmemdup_array_user(u64_to_user_ptr(args->cmds), args->count, sizeof(*cmds));
	if (IS_ERR(cmds))
		return PTR_ERR(no_free_ptr(cmds));
#elif defined(FLAGS)
	cmds = kvmalloc_array(args->count, sizeof(*cmds), GFP_KERNEL);
#elif defined(NO_FLAGS)
	cmds = kvzalloc_objs(*cmds, args->count);
#else
	cmds = kvmalloc_array(args->count, sizeof(*cmds), GFP_KERNEL_ACCOUNT);
#endif
	if (!cmds)
		return -ENOMEM;
	if (copy_from_user(cmds, u64_to_user_ptr(args->cmds), args->count * sizeof(*cmds)))
		return -EFAULT;
	drm_dev_ctx_or(foo_reg, reg, ioctl, return -ENODEV);
	return foo_hw_submit(reg, lower_32_bits(cmds[0]));
}

int foo_ioctl_remember(const struct foo_reg *reg, struct drm_foo_submit *args,
		       struct drm_file *file)
{
#if defined(INDEX)
	return xa_alloc(&file->syncobj_xa, &args->id, file, XA_LIMIT(1, 64), GFP_KERNEL);
#else
	return xa_alloc(&file->syncobj_xa, &args->id, file, XA_LIMIT(1, 64),
			GFP_KERNEL_ACCOUNT);
#endif
}

/* An xarray charges its nodes only if its own flags say so. */
struct foo_marks {
	struct xarray marks;
};

void foo_marks_init(struct foo_marks *marks)
{
#if defined(ARRAY)
	xa_init_flags(&marks->marks, XA_FLAGS_ALLOC);
#else
	xa_init_flags(&marks->marks, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
#endif
}

int foo_ioctl_mark(const struct foo_reg *reg, struct drm_foo_submit *args, struct drm_file *file)
{
	struct foo_marks *marks = file->driver_priv;

	return xa_alloc(&marks->marks, &args->id, file, XA_LIMIT(1, 64), GFP_KERNEL_ACCOUNT);
}
