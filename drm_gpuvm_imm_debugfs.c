// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The mappings of every address space, in /sys/kernel/debug/drm_gpuvm_imm.
 */

#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/seq_file.h>

#include <kunit/visibility.h>

#include "drm_gpuvm_imm_internal.h"

/* How many mappings debugfs reads at a time, during which no task can change them */
#define DRM_GPUVM_IMM_DEBUGFS_CHUNK	16

struct drm_gpuvm_imm_debugfs_row {
	u64 addr;
	u64 range;
	u64 offset;
	const void *obj;
	size_t size;
};

static struct dentry *drm_gpuvm_imm_dentry;

/*
 * Copies some mappings from @addr on. Does not sleep, because a writer that arrives now
 * spins until this is done. Returns the number of mappings, or -EBUSY if there is a
 * writer, which may be waiting for a lock. Without a core, there is nothing but the reserved
 * mapping, which the DRM core removes without a claim.
 */
static int drm_gpuvm_imm_read_rows(struct drm_gpuvm_imm *vm, u64 addr,
				   struct drm_gpuvm_imm_debugfs_row *rows)
{
	u64 range = drm_gpuvm_imm_va_end(vm) - addr;
	struct drm_gpuva *va;
	int n = 0;

	guard(preempt)();
	if (!drm_gpuvm_imm_claim_for_reader(vm))
		return -EBUSY;

	for (va = vm->core ? drm_gpuva_find_first(&vm->base, addr, range) : NULL;
	     va && n < DRM_GPUVM_IMM_DEBUGFS_CHUNK; va = __drm_gpuva_next(va)) {
		struct drm_gem_object *obj = va->gem.obj;

		rows[n++] = (struct drm_gpuvm_imm_debugfs_row) {
			.addr = va->va.addr,
			.range = va->va.range,
			.offset = va->gem.offset,
			.obj = obj,
			.size = obj ? obj->size : 0,
		};
	}
	drm_gpuvm_imm_unclaim(vm);

	return n;
}

static void drm_gpuvm_imm_show_row(struct seq_file *m,
				   const struct drm_gpuvm_imm *vm,
				   const struct drm_gpuvm_imm_debugfs_row *row)
{
	seq_printf(m, "  0x%016llx 0x%016llx ", row->addr, row->range);
	if (row->obj)
		seq_printf(m, "object %p size 0x%zx offset 0x%llx\n", row->obj,
			   row->size, row->offset);
	else if (row->addr == drm_gpuvm_reserved(&vm->base)->va.addr &&
		 row->range == drm_gpuvm_reserved(&vm->base)->va.range)
		seq_puts(m, "reserved\n");
	else
		seq_puts(m, "sparse\n");
}

static const char *drm_gpuvm_imm_error_name(const struct drm_gpuvm_imm *vm)
{
	switch (READ_ONCE(vm->error)) {
	case 0:
		return "";
	case -ESHUTDOWN:
		return " closed";
	default:
		return " broken";
	}
}

VISIBLE_IF_KUNIT void drm_gpuvm_imm_show(struct seq_file *m, struct drm_gpuvm_imm *vm)
{
	struct drm_gpuvm_imm_debugfs_row rows[DRM_GPUVM_IMM_DEBUGFS_CHUNK];
	u64 addr = drm_gpuvm_imm_va_start(vm), end = drm_gpuvm_imm_va_end(vm);
	int n;

	seq_printf(m, "%s %s 0x%016llx 0x%016llx%s\n", dev_name(vm->base.drm->dev),
		   vm->name, addr, drm_gpuvm_imm_va_length(vm),
		   drm_gpuvm_imm_error_name(vm));

	while (addr < end && !seq_has_overflowed(m)) {
		n = drm_gpuvm_imm_read_rows(vm, addr, rows);
		if (n < 0) {
			seq_puts(m, "  being changed\n");
			break;
		}
		if (!n)
			break;
		for (int i = 0; i < n; i++)
			drm_gpuvm_imm_show_row(m, vm, &rows[i]);
		addr = rows[n - 1].addr + rows[n - 1].range;
	}
}
EXPORT_SYMBOL_IF_KUNIT(drm_gpuvm_imm_show);

static void *drm_gpuvm_imm_seq_start(struct seq_file *m, loff_t *pos)
	__acquires(&drm_gpuvm_imm_all_lock)
{
	mutex_lock(&drm_gpuvm_imm_all_lock);

	return seq_list_start(&drm_gpuvm_imm_all, *pos);
}

static void *drm_gpuvm_imm_seq_next(struct seq_file *m, void *v, loff_t *pos)
	__must_hold(&drm_gpuvm_imm_all_lock)
{
	return seq_list_next(v, &drm_gpuvm_imm_all, pos);
}

static void drm_gpuvm_imm_seq_stop(struct seq_file *m, void *v)
	__releases(&drm_gpuvm_imm_all_lock)
{
	mutex_unlock(&drm_gpuvm_imm_all_lock);
}

static int drm_gpuvm_imm_seq_show(struct seq_file *m, void *v)
{
	struct drm_gpuvm_imm *vm = list_entry(v, struct drm_gpuvm_imm, node);

	/* An address space without its core has begun to end, or somebody still holds it. */
	if (!READ_ONCE(vm->core))
		return SEQ_SKIP;
	drm_gpuvm_imm_show(m, vm);

	return 0;
}

VISIBLE_IF_KUNIT const struct seq_operations drm_gpuvm_imm_sops = {
	.start = drm_gpuvm_imm_seq_start,
	.next = drm_gpuvm_imm_seq_next,
	.stop = drm_gpuvm_imm_seq_stop,
	.show = drm_gpuvm_imm_seq_show,
};
EXPORT_SYMBOL_IF_KUNIT(drm_gpuvm_imm_sops);
DEFINE_SEQ_ATTRIBUTE(drm_gpuvm_imm);

void drm_gpuvm_imm_debugfs_init(void)
{
	drm_gpuvm_imm_dentry = debugfs_create_file("drm_gpuvm_imm", 0400, NULL, NULL,
						   &drm_gpuvm_imm_fops);
}

void drm_gpuvm_imm_debugfs_exit(void)
{
	debugfs_remove(drm_gpuvm_imm_dentry);
}
