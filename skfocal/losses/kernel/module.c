/* skfocal._kernel: the kernel as Python calls it. Looks at arrays, chooses the variant, divides samples among threads.
 *
 * Everything is in Python's limited API, so that one binary serves all versions. Codes must be in 0 ... n_classes - 1:
 * Python checks them once, this does not look again in every round.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>
#include "kernel.h"

#if defined(_M_X64) && !defined(__clang__)
#include <immintrin.h>
#include <intrin.h>

/* Whether processor and operating system know vectors of 256 or 512 bits. */
static int knows(int bits) {
    int info[4];
    __cpuid(info, 1);
    const int fma = 1 << 12, osxsave = 1 << 27;
    if ((info[2] & (fma | osxsave)) != (fma | osxsave)) return 0;
    unsigned long long state = _xgetbv(0);
    __cpuidex(info, 7, 0);
    const int avx512 = (1 << 16) | (1 << 17) | (1 << 30) | (int)(1u << 31); /* F, DQ, BW, VL */
    if (bits == 256) return (state & 0x6) == 0x6 && (info[1] & (1 << 5));
    return (state & 0xe6) == 0xe6 && (info[1] & avx512) == avx512;
}
#elif defined(__x86_64__)
static int knows(int bits) {
    __builtin_cpu_init();
    if (bits == 256) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl");
}
#endif

static const Kernel *variants[4]; /* that this processor can run, the fastest first, ended by NULL */
static const Kernel *chosen;

static void find_variants(void) {
    int n = 0;
#if defined(_M_X64) || defined(__x86_64__)
    if (knows(512)) variants[n++] = &kernel_avx512;
    if (knows(256)) variants[n++] = &kernel_avx2;
#endif
    variants[n++] = &kernel_baseline;
    variants[n] = NULL;
    chosen = variants[0];
}

/* ------------------------------------------------------------------ threads */

#define CHUNK (128 * BLOCK) /* margins that a thread takes at a time: about 200 microseconds */

typedef struct {
    const Task *task;
    Compute compute;
    PyThread_type_lock next_is_free; /* to be held to take a chunk */
    ptrdiff_t next, step;
} Work;

typedef struct {
    Work *work;
    void *scratch;
    PyThread_type_lock done; /* held until a helper is done */
} Share;

static void take_chunks(Share *share) {
    Work *work = share->work;
    for (;;) {
        PyThread_acquire_lock(work->next_is_free, WAIT_LOCK);
        ptrdiff_t first = work->next;
        work->next += work->step;
        PyThread_release_lock(work->next_is_free);
        if (first >= work->task->n_samples) return;
        ptrdiff_t rest = work->task->n_samples - first;
        work->compute(work->task, first, first + (rest < work->step ? rest : work->step), share->scratch);
    }
}

static void help(void *share) {
    take_chunks(share);
    PyThread_release_lock(((Share *)share)->done);
}

/* Compute all samples on this thread and others. These are new in each call: a fork leaves none that are dead behind,
 * and to start one takes less time than a chunk. Where none can be started, this one does it all. */
static int compute_all(Compute compute, const Task *task, int n_threads) {
    Work work = {task, compute, PyThread_allocate_lock(), 0, CHUNK / task->n_margins / BLOCK * BLOCK};
    if (work.step < BLOCK) work.step = BLOCK;
    ptrdiff_t n_chunks = (task->n_samples + work.step - 1) / work.step;
    ptrdiff_t n_shares = n_threads < n_chunks ? n_threads : n_chunks, n_helpers = 0;
    if (n_shares < 1) n_shares = 1;
    size_t scratch_size = (size_t)(2 * task->n_margins * BLOCK) * sizeof(double);
    Share *shares = malloc((size_t)n_shares * sizeof(Share));
    char *scratch = malloc((size_t)n_shares * scratch_size);
    if (!work.next_is_free || !shares || !scratch) {
        if (work.next_is_free) PyThread_free_lock(work.next_is_free);
        free(shares);
        free(scratch);
        PyErr_NoMemory();
        return -1;
    }
    Py_BEGIN_ALLOW_THREADS
    for (ptrdiff_t i = 0; i < n_shares; i++)
        shares[i] = (Share){&work, scratch + (size_t)i * scratch_size, NULL};
    while (n_helpers < n_shares - 1) {
        Share *share = &shares[n_helpers];
        share->done = PyThread_allocate_lock();
        if (!share->done) break;
        PyThread_acquire_lock(share->done, WAIT_LOCK);
        if (PyThread_start_new_thread(help, share) == (unsigned long)-1) {
            PyThread_release_lock(share->done);
            PyThread_free_lock(share->done);
            break;
        }
        n_helpers++;
    }
    take_chunks(&shares[n_shares - 1]);
    for (ptrdiff_t i = 0; i < n_helpers; i++) {
        PyThread_acquire_lock(shares[i].done, WAIT_LOCK);
        PyThread_release_lock(shares[i].done);
        PyThread_free_lock(shares[i].done);
    }
    Py_END_ALLOW_THREADS
    PyThread_free_lock(work.next_is_free);
    free(shares);
    free(scratch);
    return 0;
}

/* ------------------------------------------------------------------ arrays */

#define MAX_VIEWS 8

typedef struct {
    Py_buffer views[MAX_VIEWS];
    int n;
} Views;

static void release(Views *views) {
    while (views->n) PyBuffer_Release(&views->views[--views->n]);
}

/* Return the letter of a type, or 0 if it is no single one in this machine's order, which a mark may say. */
static char letter_of(const char *format) {
    const int one = 1;
    const char native = *(const char *)&one ? '<' : '>';
    if (format && (*format == '@' || *format == '=' || *format == native)) format++;
    return format && *format && !format[1] ? *format : 0;
}

/* Return a view of an array, of one of the types in `formats`, NULL and an error if it is none. */
static Py_buffer *view_of(Views *views, PyObject *array, const char *formats, int writable, const char *name) {
    Py_buffer *view = &views->views[views->n];
    if (PyObject_GetBuffer(array, view, PyBUF_STRIDES | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0)) < 0) return NULL;
    views->n++;
    char letter = letter_of(view->format);
    if (!letter || !strchr(formats, letter)) {
        PyErr_Format(PyExc_TypeError, "%s must have a dtype among '%s', got '%s'", name, formats, view->format);
        return NULL;
    }
    return view;
}

/* Look at an array of shape (n_samples,) or (n_samples, n_columns); -1 and an error if it is none. */
static int margins_of(Views *views, PyObject *array, ptrdiff_t n_samples, ptrdiff_t n_columns, int writable,
                      const char *name, Margins *margins) {
    *margins = (Margins){NULL, 0, 0, 0};
    if (array == Py_None) return 0;
    Py_buffer *view = view_of(views, array, "fd", writable, name);
    if (!view) return -1;
    if (!(view->ndim == 1 ? n_columns == 1 : view->ndim == 2 && view->shape[1] == n_columns) || view->shape[0] != n_samples) {
        PyErr_Format(PyExc_ValueError, "%s must have %zd rows and %zd columns", name, n_samples, n_columns);
        return -1;
    }
    *margins = (Margins){view->buf, view->strides[0], view->ndim == 2 ? view->strides[1] : 0, letter_of(view->format) == 'd'};
    return 0;
}

/* Look at a contiguous array of n numbers of the type `format`; *data is NULL for None. */
static int numbers_of(Views *views, PyObject *array, const char *format, ptrdiff_t n, const char *name, const void **data) {
    *data = NULL;
    if (array == Py_None) return 0;
    Py_buffer *view = view_of(views, array, format, 0, name);
    if (!view) return -1;
    if (view->itemsize != (format[0] == 'd' ? 8 : 4) || view->ndim != 1 || view->shape[0] != n
        || (n > 1 && view->strides[0] != view->itemsize)) {
        PyErr_Format(PyExc_ValueError, "%s must hold %zd contiguous numbers", name, n);
        return -1;
    }
    *data = view->buf;
    return 0;
}

/* Fill in margins, true classes, weights and gammas of a task; `in_double` < 0 is for the type of the margins. */
static int look_at(Views *views, PyObject *raw, PyObject *codes, PyObject *weight, PyObject *gamma, int in_double, Task *task) {
    Py_buffer *view = view_of(views, raw, "fd", 0, "raw");
    if (!view) return -1;
    if (view->ndim < 1 || view->ndim > 2 || (view->ndim == 2 && view->shape[1] < 1)) {
        PyErr_SetString(PyExc_ValueError, "raw must have one or two dimensions");
        return -1;
    }
    task->n_samples = view->shape[0];
    task->n_margins = view->ndim == 2 ? view->shape[1] : 1;
    task->n_classes = task->n_margins > 1 ? (int)task->n_margins : 2;
    task->raw = (Margins){view->buf, view->strides[0], view->ndim == 2 ? view->strides[1] : 0, letter_of(view->format) == 'd'};
    const char *real = (in_double < 0 ? task->raw.is_double : in_double) ? "d" : "f";
    if (numbers_of(views, codes, "il", task->n_samples, "codes", (const void **)&task->codes) < 0) return -1;
    if (numbers_of(views, weight, real, task->n_samples, "weight", &task->weight) < 0) return -1;
    return numbers_of(views, gamma, "d", task->n_classes, "gamma", (const void **)&task->gamma);
}

/* ------------------------------------------------------------------ functions */

static PyObject *finish(Views *views, int failed) {
    release(views);
    if (failed) return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(derivatives_doc,
"derivatives(raw, codes, weight, gamma, mix, intercept, factor, floor, stable, in_double, gradient, hessian, n_threads)\n--\n\n"
"Write gradient and Hessian by the margins raw + intercept; the Hessian times factor, raised to floor; both weighted.\n\n"
"Computed in float and rounded to 21 bits, or in double.");

static PyObject *derivatives(PyObject *Py_UNUSED(self), PyObject *args) {
    PyObject *raw, *codes, *weight, *gamma, *intercept, *gradient, *hessian;
    int in_double, n_threads;
    Task task = {0};
    Views views = {.n = 0};
    if (!PyArg_ParseTuple(args, "OOOOdOddppOOi", &raw, &codes, &weight, &gamma, &task.mix, &intercept, &task.factor,
                          &task.floor, &task.stable, &in_double, &gradient, &hessian, &n_threads))
        return NULL;
    task.rounded = !in_double;
    int failed = look_at(&views, raw, codes, weight, gamma, in_double, &task) < 0
        || numbers_of(&views, intercept, "d", task.n_margins, "intercept", (const void **)&task.intercept) < 0
        || margins_of(&views, gradient, task.n_samples, task.n_margins, 1, "gradient", &task.gradient) < 0
        || margins_of(&views, hessian, task.n_samples, task.n_margins, 1, "hessian", &task.hessian) < 0
        || compute_all(in_double ? chosen->derivatives_double : chosen->derivatives_float, &task, n_threads) < 0;
    return finish(&views, failed);
}

PyDoc_STRVAR(losses_doc,
"losses(raw, codes, weight, gamma, mix, loss, gradient, n_threads)\n--\n\n"
"Write the weighted loss of each sample and, unless gradient is None, the gradient, computed in the dtype of raw.");

static PyObject *losses(PyObject *Py_UNUSED(self), PyObject *args) {
    PyObject *raw, *codes, *weight, *gamma, *loss, *gradient;
    int n_threads;
    Task task = {0};
    Views views = {.n = 0};
    if (!PyArg_ParseTuple(args, "OOOOdOOi", &raw, &codes, &weight, &gamma, &task.mix, &loss, &gradient, &n_threads))
        return NULL;
    int failed = look_at(&views, raw, codes, weight, gamma, -1, &task) < 0
        || margins_of(&views, loss, task.n_samples, 1, 1, "loss", &task.loss) < 0
        || margins_of(&views, gradient, task.n_samples, task.n_margins, 1, "gradient", &task.gradient) < 0
        || compute_all(task.raw.is_double ? chosen->losses_double : chosen->losses_float, &task, n_threads) < 0;
    return finish(&views, failed);
}

PyDoc_STRVAR(posterior_doc,
"posterior(raw, gamma, mix, posterior, n_threads)\n--\n\n"
"Write the posterior probabilities of all classes, by the focal link, computed in double.");

static PyObject *posterior(PyObject *Py_UNUSED(self), PyObject *args) {
    PyObject *raw, *gamma, *out;
    int n_threads;
    Task task = {0};
    Views views = {.n = 0};
    if (!PyArg_ParseTuple(args, "OOdOi", &raw, &gamma, &task.mix, &out, &n_threads)) return NULL;
    int failed = look_at(&views, raw, Py_None, Py_None, gamma, 1, &task) < 0
        || margins_of(&views, out, task.n_samples, task.n_classes, 1, "posterior", &task.posterior) < 0
        || compute_all(chosen->posterior, &task, n_threads) < 0;
    return finish(&views, failed);
}

PyDoc_STRVAR(variants_doc, "variants()\n--\n\nReturn the vectors that this processor knows of those compiled for, the fastest first.");

static PyObject *variant_names(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(none)) {
    PyObject *names = PyList_New(0);
    for (int i = 0; names && variants[i]; i++) {
        PyObject *name = PyUnicode_FromString(variants[i]->name);
        if (!name || PyList_Append(names, name) < 0) Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

PyDoc_STRVAR(use_doc, "use(variant)\n--\n\nCompute with the variant of this name from now on: for tests and benchmarks.");

static PyObject *use(PyObject *Py_UNUSED(self), PyObject *args) {
    const char *name;
    if (!PyArg_ParseTuple(args, "s", &name)) return NULL;
    for (int i = 0; variants[i]; i++)
        if (!strcmp(variants[i]->name, name)) {
            chosen = variants[i];
            Py_RETURN_NONE;
        }
    return PyErr_Format(PyExc_ValueError, "variant must be one of variants(), got '%s'", name);
}

static PyMethodDef methods[] = {
    {"derivatives", derivatives, METH_VARARGS, derivatives_doc},
    {"losses", losses, METH_VARARGS, losses_doc},
    {"posterior", posterior, METH_VARARGS, posterior_doc},
    {"variants", variant_names, METH_NOARGS, variants_doc},
    {"use", use, METH_VARARGS, use_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_kernel", "The compiled kernel; see skfocal/losses/compiled.py.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void) {
    find_variants();
    return PyModuleDef_Init(&module);
}
