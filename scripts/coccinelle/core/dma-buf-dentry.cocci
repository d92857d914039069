// SPDX-License-Identifier: GPL-2.0-only OR MIT
// dma-buf: let an exporter keep a dma-buf that may be about to be released
//
// An exporter that moves a buffer has to notify the importers of each of its dma-bufs, but has no
// reference to a dma-buf. get_dma_buf() needs one. A reference to &dma_buf.file does not work either:
// an O_PATH file keeps the dentry, and so the dma-buf, after the file was freed.
//
// Add functions for exporters that forget a dma-buf in &dma_buf_ops.release. One returns the dentry,
// whose end releases the dma-buf. The other takes a reference to the dentry unless its end has begun.
// "drm/safe: add tables and exports for GEM objects of any kind" is their first user.
//
// Files: include/linux/dma-buf.h

@@
@@
+#include <linux/dcache.h>
 #include <linux/file.h>

@@
typedef bool;
identifier dmabuf, dev;
@@
+/**
+ * dma_buf_dentry - the dentry whose end releases a dma-buf
+ * @dmabuf:	[in]	pointer to dma_buf, to which the caller has a reference
+ *
+ * Returns: the dentry, which exists until &dma_buf_ops.release was called.
+ */
+static inline struct dentry *dma_buf_dentry(const struct dma_buf *dmabuf)
+{
+	return dmabuf->file->f_path.dentry;
+}
+
+/**
+ * dma_buf_dentry_get_unless_dead - keep a dma-buf from being released
+ * @dentry:	[in]	of dma_buf_dentry(); a lock that &dma_buf_ops.release takes keeps it
+ *
+ * The caller does not get a reference to the file, and calls dput() in the end.
+ *
+ * Returns: true unless the release of the dma-buf has begun.
+ */
+static inline bool dma_buf_dentry_get_unless_dead(struct dentry *dentry)
+{
+	return lockref_get_not_dead(&dentry->d_lockref);
+}
+#define dma_buf_dentry_get_unless_dead dma_buf_dentry_get_unless_dead
+
 struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf, struct device *dev);
