/* What a compiled variant of the kernel computes, for a range of samples. */

#ifndef SKFOCAL_KERNEL_H
#define SKFOCAL_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* An array of margins, or of what belongs to each of them, as NumPy has it: a stride in bytes for each axis. */
typedef struct {
    char *data; /* NULL if there is none */
    ptrdiff_t sample, margin;
    int is_double;
} Margins;

/* What is the same for all samples, and where they are. */
typedef struct {
    ptrdiff_t n_samples, n_margins;
    Margins raw;
    const int32_t *codes;   /* the true class of each sample */
    const void *weight;     /* of each sample, in the type that is computed in; or NULL */
    const double *gamma;    /* of each class */
    int n_classes;
    const double *intercept; /* to add to the margins, or NULL */
    double mix, factor, floor; /* of the Hessian: a factor, and what it is raised to then */
    int stable, rounded;
    Margins loss, gradient, hessian; /* results: those that are wanted */
    Margins posterior;
} Task;

/* Compute for samples first ... last - 1, with memory for two blocks of doubles a margin. */
typedef void (*Compute)(const Task *task, ptrdiff_t first, ptrdiff_t last, void *scratch);

typedef struct {
    const char *name; /* of the vectors that it was compiled for */
    Compute derivatives_float, derivatives_double, losses_float, losses_double, posterior;
} Kernel;

#define BLOCK 256 /* samples at a time: in float, of few classes, all of their numbers fit the first-level cache */

extern const Kernel kernel_baseline, kernel_avx2, kernel_avx512;

#endif
