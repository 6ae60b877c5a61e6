// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * awkward - a driver for QEMU's edu device that behaves as hardware drivers do
 * on a bad day
 *
 * Parameters, all of them writable while it is loaded:
 *
 *   probe=ok|fail|defer   what a probe comes to: it binds; it returns -EIO;
 *                         or it returns -EPROBE_DEFER as long as `defers` is
 *                         not used up, and then binds
 *   defers=N              how many probes are still to be deferred; counts down
 *   kick_ms=N             how long after a deferral the kernel is made to try
 *                         all deferred probes again (0: never)
 *   slow_ms=N             a probe sleeps that long first
 *   lock=PID              that process's memory is locked, as by itself while
 *                         it maps or unmaps much of it; 0: no longer
 *
 * A bound device has a node, /dev/awkwardN. Unbinding it, or removing the
 * device, waits in state D until nobody has the node open, as i2c adapters and
 * vfio groups do. While it waits the node cannot be opened any more.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

enum outcome { OK, FAIL, DEFER };
static const char *const outcomes[] = { "ok", "fail", "defer" };

static int outcome = OK;
static unsigned int defers = 1;
static unsigned int kick_ms = 300;
static unsigned int slow_ms;

static int outcome_set(const char *value, const struct kernel_param *kp)
{
	int found = sysfs_match_string(outcomes, value);

	if (found < 0)
		return found;
	*(int *)kp->arg = found;
	return 0;
}

static int outcome_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", outcomes[*(int *)kp->arg]);
}

static const struct kernel_param_ops outcome_ops = {
	.set = outcome_set,
	.get = outcome_get,
};

module_param_cb(probe, &outcome_ops, &outcome, 0644);
MODULE_PARM_DESC(probe, "ok, fail or defer");
module_param(defers, uint, 0644);
MODULE_PARM_DESC(defers, "how many probes are still to be deferred");
module_param(kick_ms, uint, 0644);
MODULE_PARM_DESC(kick_ms, "milliseconds from a deferral to the next try, 0: never");
module_param(slow_ms, uint, 0644);
MODULE_PARM_DESC(slow_ms, "milliseconds that a probe sleeps");

static struct mm_struct *locked;

static void lock_end(void)
{
	if (!locked)
		return;
	mmap_write_unlock(locked);
	mmput(locked);
	locked = NULL;
}

/* Parameters are written one at a time: kernel/params.c, param_attr_store(). */
static int lock_set(const char *value, const struct kernel_param *kp)
{
	struct task_struct *task;
	struct pid *pid;
	int number, err = kstrtoint(value, 0, &number);

	if (err)
		return err;
	lock_end();
	if (number == 0)
		return 0;
	pid = find_get_pid(number);
	task = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	if (!task)
		return -ESRCH;
	locked = get_task_mm(task);
	put_task_struct(task);
	if (!locked)
		return -ESRCH;
	mmap_write_lock(locked);
	return 0;
}

static const struct kernel_param_ops lock_ops = {
	.set = lock_set,
};

module_param_cb(lock, &lock_ops, NULL, 0200);
MODULE_PARM_DESC(lock, "the process whose memory is locked, 0: none");

/*
 * The kernel tries deferred probes again whenever any device is bound. So a
 * try is ordered by binding one that does nothing.
 */
static int kick_probe(struct platform_device *pdev)
{
	return 0;
}

static struct platform_driver kick_driver = {
	.probe = kick_probe,
	.driver = { .name = "awkward-kick" },
};

static void kick(struct work_struct *work)
{
	struct platform_device *pdev;

	pdev = platform_device_register_simple("awkward-kick", PLATFORM_DEVID_NONE, NULL, 0);
	if (!IS_ERR(pdev))
		platform_device_unregister(pdev);
}

static DECLARE_DELAYED_WORK(kick_work, kick);

/* One per bound device. */
struct awkward {
	struct miscdevice misc;
	char name[16];
	int id;
	spinlock_t lock;	/* for the two below */
	unsigned int users;
	bool leaving;
	wait_queue_head_t idle;
};

static DEFINE_IDA(ids);

static int awkward_open(struct inode *inode, struct file *file)
{
	struct awkward *a = container_of(file->private_data, struct awkward, misc);
	int err = 0;

	spin_lock(&a->lock);
	if (a->leaving)
		err = -ENODEV;
	else
		a->users++;
	spin_unlock(&a->lock);
	return err;
}

static int awkward_release(struct inode *inode, struct file *file)
{
	struct awkward *a = container_of(file->private_data, struct awkward, misc);

	/* Inside the lock: once it is seen idle, it may be freed. */
	spin_lock(&a->lock);
	if (--a->users == 0)
		wake_up(&a->idle);
	spin_unlock(&a->lock);
	return 0;
}

static const struct file_operations awkward_fops = {
	.owner = THIS_MODULE,
	.open = awkward_open,
	.release = awkward_release,
};

static bool awkward_is_idle(struct awkward *a)
{
	bool idle;

	spin_lock(&a->lock);
	idle = a->users == 0;
	spin_unlock(&a->lock);
	return idle;
}

static int awkward_bind(struct pci_dev *pdev)
{
	struct awkward *a = kzalloc(sizeof(*a), GFP_KERNEL);
	int err;

	if (!a)
		return -ENOMEM;
	spin_lock_init(&a->lock);
	init_waitqueue_head(&a->idle);
	err = a->id = ida_alloc(&ids, GFP_KERNEL);
	if (err < 0)
		goto free;
	snprintf(a->name, sizeof(a->name), "awkward%d", a->id);
	a->misc.minor = MISC_DYNAMIC_MINOR;
	a->misc.name = a->name;
	a->misc.fops = &awkward_fops;
	a->misc.parent = &pdev->dev;
	err = misc_register(&a->misc);
	if (err)
		goto free_id;
	pci_set_drvdata(pdev, a);
	return 0;

free_id:
	ida_free(&ids, a->id);
free:
	kfree(a);
	return err;
}

static int awkward_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err;

	if (slow_ms)
		msleep(slow_ms);
	if (outcome == FAIL) {
		pci_info(pdev, "fails, as it was told\n");
		return -EIO;
	}
	if (outcome == DEFER && defers > 0) {
		defers--;
		pci_info(pdev, "defers, as it was told\n");
		if (kick_ms)
			mod_delayed_work(system_wq, &kick_work, msecs_to_jiffies(kick_ms));
		return -EPROBE_DEFER;
	}
	err = pci_enable_device(pdev);
	if (err)
		return err;
	err = awkward_bind(pdev);
	if (err)
		pci_disable_device(pdev);
	return err;
}

static void awkward_remove(struct pci_dev *pdev)
{
	struct awkward *a = pci_get_drvdata(pdev);

	spin_lock(&a->lock);
	a->leaving = true;
	spin_unlock(&a->lock);
	wait_event(a->idle, awkward_is_idle(a));
	misc_deregister(&a->misc);
	ida_free(&ids, a->id);
	kfree(a);
	pci_disable_device(pdev);
}

static const struct pci_device_id awkward_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, awkward_ids);

static struct pci_driver awkward_driver = {
	.name = KBUILD_MODNAME,
	.id_table = awkward_ids,
	.probe = awkward_probe,
	.remove = awkward_remove,
};

static int __init awkward_init(void)
{
	int err = platform_driver_register(&kick_driver);

	if (err)
		return err;
	err = pci_register_driver(&awkward_driver);
	if (err)
		platform_driver_unregister(&kick_driver);
	return err;
}
module_init(awkward_init);

static void __exit awkward_exit(void)
{
	lock_end();
	pci_unregister_driver(&awkward_driver);
	cancel_delayed_work_sync(&kick_work);
	platform_driver_unregister(&kick_driver);
}
module_exit(awkward_exit);

MODULE_DESCRIPTION("PCI driver whose probes fail, defer or take long, and whose removal waits");
MODULE_LICENSE("GPL");
