/**
 * @file skd.h
 * The C contract of SKD: few-shot learning by self-supervised knowledge distillation
 * (Rajasegaran et al., arXiv:2006.09785), computed in Swift.
 *
 * Conventions, for every function unless its comment says otherwise:
 *
 * - It returns `skd_status`. If that is not SKD_OK, outputs and handles are unchanged, and
 *   skd_last_error() gives the reason on this thread, with the name of the argument.
 * - Sizes are `int64_t` counts of elements, never bytes. Arrays are C-contiguous, owned by the
 *   caller, and must not overlap unless the comment allows it. Images are NHWC; convolution
 *   weights are OIHW and linear weights [output, input], as in PyTorch. Floats are float32.
 * - Float inputs of models and trainers must be finite.
 * - A gradient output is overwritten (=), never added to, and may be NULL where marked so.
 * - Functions without a handle may be called concurrently on distinct outputs. Calls on one
 *   handle, or on handles that share a model, are serialised inside the library. A call that would
 *   deadlock, such as using a model inside its own training step, fails.
 * - Results are bitwise the same for any number of threads.
 */
#ifndef SKD_H
#define SKD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Outcome of a call: one of the values below. */
typedef int32_t skd_status;
enum {
  SKD_OK = 0,
  SKD_INVALID_ARGUMENT = 1, /**< An argument is outside its domain. */
  SKD_NON_FINITE = 2,       /**< A loss, gradient or update is NaN or infinite; nothing was changed. */
  SKD_OUT_OF_MEMORY = 3,    /**< A buffer does not fit into memory. */
  SKD_CALLBACK_FAILED = 4   /**< A function of the caller reported failure; nothing was updated. */
};

/** Why the last failing call of this thread failed; "" if none has. Valid until its next call. */
const char *skd_last_error(void);

/** Why an argument was refused: "`argument` of `owner` must `legal`; got `got`". */
typedef struct {
  const char *argument; /**< Name of the argument, or path of a field: "labels", "shape.batch". */
  const char *owner;    /**< Function that was called, without "skd_". */
  const char *legal;    /**< The words after "must": "be finite", "be in 0...4". */
  const char *got;      /**< What came; NULL where there is nothing to say. */
  int32_t has_bounds;   /**< 1 if `legal` tells bounds of an integer, which follow; else 0. */
  int64_t minimum, maximum; /**< The bounds, both legal. */
  int64_t value;        /**< The integer that is not within them. */
  const char *unit;     /**< What the integer counts, as "elements"; NULL for the argument itself. */
} skd_refusal;

/** Parts of skd_last_error() after SKD_INVALID_ARGUMENT, else NULL. Valid until the next call. */
const skd_refusal *skd_last_refusal(void);

/* ============================================================================== Support */

/* ------------------------------------------------------------------------------ threads */

/** Sets the number of threads of computations. @param count 1...256. */
skd_status skd_set_num_threads(int64_t count);

/** Number of threads of computations; initially skd_available_processors(), at most 256. */
int64_t skd_get_num_threads(void);

/**
 * Number of processors that this process may use: the size of its affinity mask, limited by the
 * processor time of its control groups, rounded up. At least 1.
 */
int64_t skd_available_processors(void);

/* ------------------------------------------------------------------------------- memory */

/**
 * Estimate of the bytes that can be allocated without swapping: those of the machine, or fewer if the
 * control groups of a container or a limit of the address space allow fewer.
 */
int64_t skd_available_memory(void);

/**
 * Bytes that the library's buffers hold now, over all models and calls. Operations keep up to 128 MB of
 * scratch memory for the next one.
 */
int64_t skd_live_memory(void);

/**
 * Watches a file that is mapped into memory. If the file becomes shorter, reads beyond its new end
 * give zeros instead of ending the process (SIGBUS), and skd_mapping_is_damaged() reports it. The
 * signal handler passes other faults on to the handler before it.
 *
 * @param start   First byte of the mapping; at most 1024 are watched at a time.
 * @param length  Bytes of the mapping, 0...2^47.
 */
skd_status skd_watch_mapping(const void *start, int64_t length);

/** Ends skd_watch_mapping. A start that is not watched is ignored. */
void skd_unwatch_mapping(const void *start);

/** 1 if zeros have been read instead of a watched mapping's bytes, else 0. */
int32_t skd_mapping_is_damaged(const void *start);

/* ---------------------------------------------------------------------- instruction set */

/**
 * Instruction set that the library was compiled for: "AVX-512", "AVX2" (with FMA), "SSE2" (any x86-64
 * processor), "NEON", or "other". Always valid; safe to call from any thread.
 */
const char *skd_instruction_set(void);

/* =========================================================================== Operations */

/* ------------------------------------------------------------------------------- shapes */

/** Extent of an NHWC image tensor; every field >= 1, but batch may be 0 where said. */
typedef struct {
  int64_t batch, height, width, channels;
} skd_image_shape;

/** A square convolution. Output side: (side + 2 padding - kernel_size) / stride + 1, >= 1. */
typedef struct {
  skd_image_shape input;
  int64_t output_channels;
  int64_t kernel_size; /**< 1...11, square. */
  int64_t stride;      /**< 1 or 2. */
  int64_t padding;     /**< Zeros on each side, 0...kernel_size - 1. */
} skd_conv2d_shape;

/* ------------------------------------------------------------------------------- layers */

/** output[n,i,j,o] = bias[o] + sum over kernel and channels; `bias` may be NULL. */
skd_status skd_conv2d_forward(const float *input, const float *weight, const float *bias,
                              const skd_conv2d_shape *shape, float *output);

/** Gradients of skd_conv2d_forward. Each of the three outputs may be NULL. */
skd_status skd_conv2d_backward(const float *input, const float *weight, const float *d_output,
                               const skd_conv2d_shape *shape, float *d_input, float *d_weight,
                               float *d_bias);

/**
 * Batch normalisation with the statistics of the batch, over `rows` = batch * height * width.
 *
 * @param running_mean, running_var  Updated: (1 - momentum) * old + momentum * batch, the
 *                                   variance unbiased. `rows` >= 2.
 * @param saved_mean, saved_inverse_std  `channels` floats for skd_batch_norm_backward.
 */
skd_status skd_batch_norm_forward_train(const float *input, int64_t rows, int64_t channels,
                                        const float *weight, const float *bias, float eps,
                                        float momentum, float *running_mean, float *running_var,
                                        float *output, float *saved_mean,
                                        float *saved_inverse_std);

/** Batch normalisation with running statistics. `rows` >= 1. */
skd_status skd_batch_norm_forward_eval(const float *input, int64_t rows, int64_t channels,
                                       const float *weight, const float *bias, float eps,
                                       const float *running_mean, const float *running_var,
                                       float *output);

/**
 * Gradients of batch normalisation.
 *
 * @param mean, inverse_std  What the forward pass used: the saved ones after training, running
 *                           mean and 1/sqrt(running_var + eps) after evaluation.
 * @param batch_statistics   1 if they depend on `input` (training), 0 if not (evaluation).
 */
skd_status skd_batch_norm_backward(const float *input, const float *d_output, int64_t rows,
                                   int64_t channels, const float *weight, const float *mean,
                                   const float *inverse_std, int32_t batch_statistics,
                                   float *d_input, float *d_weight, float *d_bias);

/** output = input > 0 ? input : slope * input. ReLU is slope 0. In place allowed. */
skd_status skd_leaky_relu_forward(const float *input, int64_t count, float slope, float *output);

/** d_input = input > 0 ? d_output : slope * d_output. In place on `d_output` allowed. */
skd_status skd_leaky_relu_backward(const float *input, const float *d_output, int64_t count,
                                   float slope, float *d_input);

/** 2x2 maximum, stride 2; an odd last row or column is ignored. Height and width >= 2. */
skd_status skd_max_pool2d_forward(const float *input, const skd_image_shape *shape, float *output);

/** Gradient of the pool; ties go to the first maximum in row-major order. `shape` is the input's. */
skd_status skd_max_pool2d_backward(const float *input, const float *d_output,
                                   const skd_image_shape *shape, float *d_input);

/** Mean over the positions of each channel: [batch, channels]. */
skd_status skd_global_average_pool_forward(const float *input, const skd_image_shape *shape,
                                           float *output);

/** Gradient of the mean. `shape` is the input's. */
skd_status skd_global_average_pool_backward(const float *d_output, const skd_image_shape *shape,
                                            float *d_input);

/** output[n,o] = bias[o] + sum_i input[n,i] weight[o,i]; `bias` may be NULL. */
skd_status skd_linear_forward(const float *input, const float *weight, const float *bias,
                              int64_t rows, int64_t input_features, int64_t output_features,
                              float *output);

/** Gradients of skd_linear_forward. Each of the three outputs may be NULL. */
skd_status skd_linear_backward(const float *input, const float *weight, const float *d_output,
                               int64_t rows, int64_t input_features, int64_t output_features,
                               float *d_input, float *d_weight, float *d_bias);

/** Draws a dropout mask: 1 kept, 0 dropped with probability `rate` in [0, 1). */
skd_status skd_dropout_mask(int64_t count, float rate, uint64_t seed, int64_t step, uint8_t *kept);

/** output = kept ? input / (1 - rate) : 0; also its own gradient (of d_output). In place allowed. */
skd_status skd_dropout_apply(const float *input, const uint8_t *kept, int64_t count, float rate,
                             float *output);

/**
 * DropBlock's probability of a square's corner after `step` training steps:
 * (1 - keep) / block_size^2 * side^2 / (side - block_size + 1)^2 with
 * keep = max(1 - rate * step / 40000, 1 - rate).
 */
skd_status skd_drop_block_gamma(double rate, int64_t block_size, int64_t side, int64_t step,
                                double *gamma);

/**
 * Draws DropBlock's corners.
 *
 * @param shape    Extent of the images; height and width >= block_size.
 * @param corners  [batch, height - block_size + 1, width - block_size + 1, channels], 1 = corner.
 */
skd_status skd_drop_block_corners(const skd_image_shape *shape, int64_t block_size, double gamma,
                                  uint64_t seed, int64_t step, uint8_t *corners);

/**
 * Zeroes a square of block_size below and right of each corner and scales the rest by
 * entries / kept entries; all zeros if nothing is kept. Also its own gradient.
 *
 * @param scale  The factor; may be NULL.
 */
skd_status skd_drop_block_apply(const float *input, const uint8_t *corners,
                                const skd_image_shape *shape, int64_t block_size, float *output,
                                float *scale);

/**
 * Squeeze and excitation: output = input * sigmoid(W2 relu(W1 mean + b1) + b2).
 * weight1 [hidden, channels], weight2 [channels, hidden].
 */
skd_status skd_squeeze_excitation_forward(const float *input, const skd_image_shape *shape,
                                          int64_t hidden, const float *weight1, const float *bias1,
                                          const float *weight2, const float *bias2, float *output);

/** Gradients of squeeze and excitation. */
skd_status skd_squeeze_excitation_backward(const float *input, const float *d_output,
                                           const skd_image_shape *shape, int64_t hidden,
                                           const float *weight1, const float *bias1,
                                           const float *weight2, const float *bias2,
                                           float *d_input, float *d_weight1, float *d_bias1,
                                           float *d_weight2, float *d_bias2);

/**
 * Rotates every image of a batch counter-clockwise by a multiple of 90 degrees (np.rot90).
 *
 * @param images         [batch, side, side, channels]; batch >= 0.
 * @param quarter_turns  0, 1, 2 or 3.
 */
skd_status skd_rotate_images(const float *images, int64_t batch, int64_t channels, int64_t side,
                             int32_t quarter_turns, float *rotated);

/** One SGD step: g = d_parameter + decay * parameter; v = first_step ? g : momentum * v + g;
 *  parameter -= learning_rate * v. Updates `parameter` and `velocity` in place. */
skd_status skd_sgd_step(float *parameter, const float *d_parameter, float *velocity, int64_t count,
                        float learning_rate, float momentum, float weight_decay,
                        int32_t first_step);

/* ------------------------------------------------------------------------------- losses */

/** Softmax cross-entropy, mean over rows. labels in 0..<classes. d_logits may be NULL. */
skd_status skd_cross_entropy(const float *logits, const int64_t *labels, int64_t rows,
                             int64_t classes, float *loss, float *d_logits);

/** Sigmoid cross-entropy against one-hot labels, mean over rows * classes. d_logits may be NULL. */
skd_status skd_bce_with_logits(const float *logits, const int64_t *labels, int64_t rows,
                               int64_t classes, float *loss, float *d_logits);

/** T^2 / rows * sum KL(softmax(teacher/T) || softmax(student/T)), T > 0. d_student may be NULL. */
skd_status skd_distill_kl(const float *student, const float *teacher, int64_t rows,
                          int64_t classes, float temperature, float *loss, float *d_student);

/** Mean over rows of || rotated - upright ||_2; sub-gradient 0 at 0. Gradients may be NULL. */
skd_status skd_twin_l2(const float *rotated, const float *upright, int64_t rows, int64_t classes,
                       float *loss, float *d_rotated, float *d_upright);

/* ---------------------------------------------------------------------------- schedules */

/** Rate during `epoch` (from 1): base * factor^(number of milestones < epoch). */
skd_status skd_step_learning_rate(int64_t epoch, double base, double factor,
                                  const int64_t *milestones, int64_t milestone_count,
                                  double *rate);

/** Cosine from `base` at epoch 0 to base * factor^3 at `epochs`. epoch in 0...epochs. */
skd_status skd_cosine_learning_rate(int64_t epoch, int64_t epochs, double base, double factor,
                                    double *rate);

/**
 * One cycle: linear from 0 to `base` over the first `warmup` epochs, then a cosine to base * factor^3
 * at `epochs`.
 *
 * @param progress  Epochs done, with their fraction, 0...epochs.
 * @param epochs    Length of the training, > 0.
 * @param warmup    Length of the rise, in epochs, 0 <= warmup < epochs.
 */
skd_status skd_one_cycle_learning_rate(double progress, double epochs, double warmup, double base,
                                       double factor, double *rate);

/* ------------------------------------------------------------------------- augmentation */

/** Kinds of augmentation before normalising; see skd_augment. */
enum { SKD_AUGMENT_NONE = 0, SKD_AUGMENT_CROP_FLIP = 1, SKD_AUGMENT_FULL = 2 };

/** The random choices of one image's augmentation. */
typedef struct {
  int32_t top, left;      /**< Origin of the crop in the padded image, 0...2 * padding. */
  int32_t flip;           /**< 1: mirror left to right, last of all. */
  int32_t operations[3];  /**< In order: 0 brightness, 1 contrast, 2 saturation, -1 none. */
  float factors[3];       /**< Brightness, contrast, saturation; >= 0. */
} skd_augmentation_choices;

/**
 * Augments images as torchvision does on PIL images, bit for bit, without normalising.
 *
 * @param images   [batch, side, side, channels] uint8; channels 1...4. Colour operations need 3.
 * @param choices  One per image.
 * @param output   Same extent as `images`.
 */
skd_status skd_apply_augmentation(const uint8_t *images, int64_t batch, int64_t side,
                                  int64_t channels, int64_t padding,
                                  const skd_augmentation_choices *choices, uint8_t *output);

/** Draws the choices of image `index` at `epoch`: uniform crop, factors in 0.6...1.4, random
 *  order, flip with probability 1/2 if `flips` is 1. Crop and flip only unless `mode` is
 *  SKD_AUGMENT_FULL. `support` 1 draws from the stream of support copies. */
skd_status skd_draw_augmentation(int32_t mode, int64_t padding, int32_t flips, uint64_t seed,
                                 int64_t epoch, int64_t index, int32_t support,
                                 skd_augmentation_choices *choices);

/**
 * Gathers, augments, resizes and normalises images: output[b] = (augmented(images[indices[b]]) / 255
 * - mean) / std, with the choices of skd_draw_augmentation(mode, ..., seed, epoch, streams[b]). The
 * crop is resized, by an antialiased bilinear filter, before its colours change.
 *
 * @param images   [image_count, side, side, channels] uint8.
 * @param indices  `batch` positions in `images`; NULL for 0..<batch.
 * @param streams  `batch` numbers that address the random choices; NULL for `indices`.
 * @param mode     SKD_AUGMENT_NONE, _CROP_FLIP or _FULL (needs 3 channels).
 * @param mean, std  `channels` floats on the 0...1 scale; std > 0.
 * @param output_side  Height and width of the result in pixels, 1...65536; `side` does not resize.
 * @param output   [batch, output_side, output_side, channels] float32.
 */
skd_status skd_augment(const uint8_t *images, int64_t image_count, int64_t side, int64_t channels,
                       const int64_t *indices, const int64_t *streams, int64_t batch, int32_t mode,
                       int64_t padding, int32_t flips, uint64_t seed, int64_t epoch,
                       int32_t support, const float *mean, const float *std,
                       int64_t output_side, float *output);

/** The order of one training epoch: a seeded permutation of 0..<count. */
skd_status skd_shuffle(int64_t count, uint64_t seed, int64_t epoch, int64_t *permutation);

/* ------------------------------------------------------------------------- measurements */

/**
 * Measures the float32 multiply-add peak of this machine, in about 0.3 seconds.
 *
 * @param threads  1...skd_get_num_threads(); they run at once.
 * @param gflops   10^9 operations per second of all threads together; a multiply-add counts two.
 *
 * Thread safety: safe, but a computation on another thread at the same time falsifies the result.
 */
skd_status skd_peak_gflops(int64_t threads, double *gflops);

/** Algorithms of a convolution. */
enum {
  SKD_CONV2D_AUTOMATIC = 0, /**< The library's choice for the shape. */
  SKD_CONV2D_WINOGRAD = 1,  /**< F(4x4, 3x3): kernel 3, stride 1, padding at most 2. */
  SKD_CONV2D_GEMM = 2,      /**< A matrix product over gathered patches: any shape. */
  SKD_CONV2D_WINOGRAD_BFLOAT16 = 3 /**< As SKD_CONV2D_WINOGRAD, operands of products in bfloat16. */
};

/** Computations of a convolution. */
enum {
  SKD_CONV2D_FORWARD = 0, /**< In training, where weights change after each one. */
  SKD_CONV2D_INPUT_GRADIENT = 1,
  SKD_CONV2D_WEIGHT_GRADIENT = 2,
  SKD_CONV2D_EVALUATION = 3 /**< Forward, with weights that are packed once and kept. */
};

/**
 * The algorithm that the library chooses for a shape in float32. It depends on the shape and on
 * whether the weights are kept, not on the machine. Safe to call from any thread.
 *
 * @param pass       One of the above.
 * @param algorithm  SKD_CONV2D_WINOGRAD or SKD_CONV2D_GEMM; untouched after a failure.
 */
skd_status skd_conv2d_algorithm(const skd_conv2d_shape *shape, int32_t pass, int32_t *algorithm);

/**
 * Times one pass of a convolution over data of its own, on the threads of the library.
 *
 * The kernel is timed, and the packing of the weights, which training does again whenever they
 * change. Conversion from OIHW and allocation are not. One run before the timed ones does not count.
 * Safe to call from any thread; the outputs are untouched after a failure.
 *
 * @param pass          SKD_CONV2D_FORWARD, _INPUT_GRADIENT, _WEIGHT_GRADIENT or _EVALUATION.
 * @param algorithm     One that supports the shape, or SKD_CONV2D_AUTOMATIC.
 * @param runs          1...10000.
 * @param pack_seconds  `runs` seconds of packing the weights; 0 where a pass reads none, or as they
 *                      are stored.
 * @param seconds       `runs` seconds of the kernel.
 */
skd_status skd_conv2d_time(const skd_conv2d_shape *shape, int32_t pass, int32_t algorithm,
                           int64_t runs, double *pack_seconds, double *seconds);

/* ================================================================== Few-shot evaluation */

/**
 * Options of drawing episodes. An episode has n_way classes with n_shot support images, and
 * n_way * n_query queries of them. Zero in the fields from max_way to query_concentration gives
 * balanced episodes of one extent, the only ones of the published code.
 */
typedef struct {
  int64_t n_way, n_shot, n_query; /**< Each >= 1; every class needs n_shot + n_query images. */
  int64_t max_way, max_shot;      /**< If not 0, each episode draws its numbers of classes and support
                                       images: from n_way to max_way, and from n_shot to max_shot. */
  int64_t unknown_ways;           /**< Further classes without support, n_query queries each. */
  double query_concentration;     /**< 0: n_query queries of each class. In 1e-3...1e6: in proportions
                                       of a symmetric Dirichlet distribution with this parameter; then
                                       every class needs n_shot + n_way * n_query images. */
  int32_t legacy;                 /**< 1: NumPy's RandomState(episode), as the published code. */
  uint64_t seed;                  /**< Seed of the counter-based generator; ignored if legacy. */
} skd_episode_options;

/**
 * Numbers of classes and support images of episodes first..<first + count.
 *
 * @param n_way   [count], without unknown classes.
 * @param n_shot  [count].
 */
skd_status skd_episode_extents(const skd_episode_options *options, int64_t first, int64_t count,
                               int64_t *n_way, int64_t *n_shot);

/**
 * Draws episodes first..<first + count, one after the other in each output. With ranges of classes
 * or support images, skd_episode_extents tells the sizes.
 *
 * @param labels        `image_count` class labels, any integers.
 * @param classes       [count, n_way + unknown_ways] labels drawn, the unknown ones last.
 * @param support       [count, n_way, n_shot] positions in `labels`.
 * @param query         [count, (n_way + unknown_ways) * n_query] positions in `labels`, class by
 *                      class.
 * @param query_counts  [count, n_way + unknown_ways] queries of each class; may be NULL.
 */
skd_status skd_sample_episodes(const int64_t *labels, int64_t image_count,
                               const skd_episode_options *options, int64_t first, int64_t count,
                               int64_t *classes, int64_t *support, int64_t *query,
                               int64_t *query_counts);

/**
 * Divides each row by its Euclidean norm; a zero row stays zero. In place allowed.
 *
 * @param mean  [dimensions], subtracted from each row first, finite; NULL subtracts nothing.
 */
skd_status skd_l2_normalize(const float *features, int64_t rows, int64_t dimensions,
                            const float *mean, float *normalized);

/**
 * Multinomial logistic regression, as scikit-learn's: minimises the sum of the cross-entropies
 * + 1/(2 C) ||coefficients||^2, intercepts free. Large fits take Newton's steps, small ones L-BFGS.
 *
 * @param labels        `rows` classes in 0..<classes; classes >= 2, each present.
 * @param inverse_regularization  C > 0.
 * @param tolerance     Stops when the largest gradient entry is below; > 0.
 * @param coefficients  [classes, dimensions].
 * @param intercepts    [classes]; they sum to 0.
 * @param iterations    Iterations taken; may be NULL.
 * @param is_converged  1 if the tolerance was reached, 0 if the fit ended at max_iterations or where
 *                      rounding hides any further descent; may be NULL.
 */
skd_status skd_logistic_regression_fit(const float *features, const int64_t *labels, int64_t rows,
                                       int64_t dimensions, int64_t classes,
                                       double inverse_regularization, double tolerance,
                                       int64_t max_iterations, double *coefficients,
                                       double *intercepts, int64_t *iterations,
                                       int32_t *is_converged);

/**
 * Ridge regression of the classes on targets of +-1, one against the rest, as scikit-learn's
 * RidgeClassifier; intercepts free. Arguments as for skd_logistic_regression_fit.
 *
 * @param alpha  Strength of the penalty alpha ||coefficients||^2, > 0.
 */
skd_status skd_ridge_classifier_fit(const float *features, const int64_t *labels, int64_t rows,
                                    int64_t dimensions, int64_t classes, double alpha,
                                    double *coefficients, double *intercepts);

/**
 * Linear support vector machines with the squared hinge, one against the rest, as scikit-learn's
 * LinearSVC: minimises 1/2 (||coefficients||^2 + intercept^2) + C sum max(0, 1 - t decision)^2 for
 * each class. Other arguments as for skd_logistic_regression_fit.
 *
 * @param inverse_regularization  C > 0.
 * @param tolerance     Stops where coefficients and intercept are that near to the minimum; > 0.
 * @param iterations    The most that a class took; may be NULL.
 * @param is_converged  0 if a class was ended by max_iterations; may be NULL.
 */
skd_status skd_linear_svc_fit(const float *features, const int64_t *labels, int64_t rows,
                              int64_t dimensions, int64_t classes, double inverse_regularization,
                              double tolerance, int64_t max_iterations, double *coefficients,
                              double *intercepts, int64_t *iterations, int32_t *is_converged);

/** decision[n,w] = intercepts[w] + sum_d features[n,d] coefficients[w,d]; classes >= 1. */
skd_status skd_linear_decision(const float *features, int64_t rows, int64_t dimensions,
                               int64_t classes, const double *coefficients,
                               const double *intercepts, double *decision);

/**
 * probabilities[n,w] = exp(logits[n,w] / t) / sum_w exp(logits[n,w] / t), [rows, classes], at the
 * temperature t > 0. In place allowed.
 */
skd_status skd_softmax(const double *logits, int64_t rows, int64_t classes, double temperature,
                       double *probabilities);

/** Proximities of a row of features to a prototype. */
enum {
  SKD_METRIC_EUCLIDEAN = 0, /**< Minus the squared Euclidean distance. */
  SKD_METRIC_COSINE = 1     /**< The cosine of the angle between both; 0 for a row of zeros. */
};

/**
 * The mean of each class.
 *
 * @param labels     `rows` classes in 0..<classes, each present.
 * @param centroids  [classes, dimensions].
 */
skd_status skd_class_centroids(const float *features, const int64_t *labels, int64_t rows,
                               int64_t dimensions, int64_t classes, double *centroids);

/**
 * The proximity of each prototype to each row.
 *
 * @param features     [rows, dimensions], finite; rows >= 0.
 * @param prototypes   [count, dimensions]; count >= 1.
 * @param metric       SKD_METRIC_EUCLIDEAN or SKD_METRIC_COSINE.
 * @param proximities  [rows, count].
 */
skd_status skd_prototype_proximities(const float *features, int64_t rows, int64_t dimensions,
                                     const double *prototypes, int64_t count, int32_t metric,
                                     double *proximities);

/**
 * The prototype that is nearest to each row, the first of equally near ones. Arguments as for
 * skd_prototype_proximities.
 *
 * @param nearest  [rows] in 0..<count.
 */
skd_status skd_nearest_prototypes(const float *features, int64_t rows, int64_t dimensions,
                                  const double *prototypes, int64_t count, int32_t metric,
                                  int64_t *nearest);

/** Classifiers of skd_score_episodes; those from SIMPLE_SHOT on are transductive. */
enum {
  SKD_CLASSIFIER_LOGISTIC = 0,                /**< Multinomial logistic regression with C. */
  SKD_CLASSIFIER_NEAREST_CENTROID = 1,        /**< Euclidean distance to the class means. */
  SKD_CLASSIFIER_NEAREST_NEIGHBOR = 2,        /**< Euclidean; the first of equal distances. */
  SKD_CLASSIFIER_NEAREST_CENTROID_COSINE = 3, /**< Cosine with the class means. */
  SKD_CLASSIFIER_NEAREST_NEIGHBOR_COSINE = 4, /**< Cosine; the first of equal ones. */
  SKD_CLASSIFIER_RIDGE = 5,                   /**< Ridge regression with alpha = 1 / C. */
  SKD_CLASSIFIER_LINEAR_SVC = 6,              /**< Linear support vector machines with C. */
  SKD_CLASSIFIER_SIMPLE_SHOT = 7,             /**< Features centred, L2-normalised; nearest mean. */
  SKD_CLASSIFIER_BD_CSPN = 8,                 /**< Prototypes rectified by pseudo-labels. */
  SKD_CLASSIFIER_LAPLACIAN_SHOT = 9,          /**< Neighbouring queries agree. */
  SKD_CLASSIFIER_TIM = 10,                    /**< Mutual information of queries and labels. */
  SKD_CLASSIFIER_ALPHA_TIM = 11,              /**< The same with Tsallis' entropies. */
  SKD_CLASSIFIER_PT_MAP = 12                  /**< Power transform and optimal transport. */
};

/**
 * A classifier and its hyper-parameters; a classifier checks and reads its own ones alone. Factors
 * are at most 10^6, weights and numbers 0...10^6.
 */
typedef struct {
  int32_t kind;                  /**< SKD_CLASSIFIER_*. */
  double inverse_regularization; /**< C > 0 of LOGISTIC, RIDGE and LINEAR_SVC. */
  double scale; /**< Factor > 0 in the softmax: of cosines (BD_CSPN, and LAPLACIAN_SHOT if it
                     rectifies), of squared distances (TIM, ALPHA_TIM, PT_MAP). */
  int64_t pseudo_labels;  /**< Most queries that join a class of BD_CSPN. */
  int64_t neighbors;      /**< Neighbours >= 1 of a query of LAPLACIAN_SHOT. */
  double neighbor_weight; /**< Weight of their agreement. */
  int32_t centers;        /**< 1: LAPLACIAN_SHOT subtracts the mean of the episode. */
  int32_t rectifies;      /**< 1: LAPLACIAN_SHOT rectifies prototypes by the queries. */
  double cross_entropy_weight, marginal_entropy_weight,
      conditional_entropy_weight; /**< Weights of the loss of TIM and ALPHA_TIM. */
  double alpha;                   /**< 1.05...100, of the entropies of ALPHA_TIM. */
  double power;                   /**< Exponent of PT_MAP's power transform, > 0, at most 2. */
  double learning_rate;           /**< > 0, at most 1: Adam's (TIM, ALPHA_TIM), of the centres (PT_MAP). */
  int64_t steps;                  /**< TIM, ALPHA_TIM, PT_MAP; >= 1 of LAPLACIAN_SHOT, the most. */
} skd_classifier_options;

/**
 * Classifies the queries of each episode by its support set, episodes in parallel. Inductive
 * classifiers use features as they are: L2-normalise them first.
 *
 * @param support        [count, support_rows, dimensions], one block per episode.
 * @param support_labels [support_rows] in 0..<n_way, the same for every episode.
 * @param features       [image_count, dimensions], from which the queries are taken.
 * @param query          [count, query_rows] rows of `features`.
 * @param query_labels   [count, query_rows] in 0...n_way, where n_way is any unknown class; each
 *                       episode has a query of a known class.
 * @param predictions    [count, query_rows] classes in 0..<n_way; may be NULL.
 * @param accuracies     [count] fractions of the queries of known classes, in 0...1.
 */
skd_status skd_score_episodes(const float *support, const int64_t *support_labels, int64_t count,
                              int64_t support_rows, int64_t dimensions, const float *features,
                              int64_t image_count, const int64_t *query,
                              const int64_t *query_labels, int64_t query_rows, int64_t n_way,
                              const skd_classifier_options *classifier,
                              int64_t *predictions, double *accuracies);

/**
 * Classifies the queries of episodes with a transductive head, episodes in parallel.
 *
 * @param head           A transductive classifier.
 * @param support        [count, support_rows, dimensions], finite.
 * @param support_labels [support_rows] in 0..<classes, each present; the same for every episode.
 * @param query          [count, query_rows, dimensions], finite.
 * @param predictions    [count, query_rows] in 0..<classes.
 * @param scores         [count, query_rows, classes]; the first of the largest ones is predicted.
 * @param objectives     [count]: the objective that the head reached; NaN if it has none.
 */
skd_status skd_classify_queries(const skd_classifier_options *head, const float *support,
                                const int64_t *support_labels, int64_t count,
                                int64_t support_rows, int64_t dimensions, const float *query,
                                int64_t query_rows, int64_t classes, int64_t *predictions,
                                double *scores, double *objectives);

/** Scores that tell queries of known classes from others: the larger, the more likely known. */
enum {
  SKD_OPEN_SET_CENTROID_COSINE = 0, /**< The cosine with the nearest class mean. */
  SKD_OPEN_SET_MAX_PROBABILITY = 1  /**< max_k softmax(-||x - mean_k||^2)_k, the usual baseline. */
};

/**
 * The score of each row.
 *
 * @param features   [rows, dimensions], finite; rows >= 0.
 * @param centroids  [classes, dimensions] class means, finite.
 * @param score      SKD_OPEN_SET_CENTROID_COSINE or SKD_OPEN_SET_MAX_PROBABILITY.
 * @param scores     [rows].
 */
skd_status skd_open_set_scores(const float *features, int64_t rows, int64_t dimensions,
                               const double *centroids, int64_t classes, int32_t score,
                               double *scores);

/**
 * How well scores tell known from unknown classes.
 *
 * @param known    `known_count` finite scores of queries of known classes; 1...2^24 of them.
 * @param unknown  `unknown_count` finite scores of the other queries; 1...2^24 of them.
 * @param auroc    Area under the ROC curve in 0...1; equal scores count one half.
 * @param fpr95    Share of unknown queries at or above the largest threshold that at least 95 % of
 *                 the known queries reach, in 0...1.
 */
skd_status skd_open_set_quality(const double *known, int64_t known_count, const double *unknown,
                                int64_t unknown_count, double *auroc, double *fpr95);

/**
 * Scores the queries of each episode against its support set, and measures how well the scores tell
 * known from unknown classes; episodes in parallel.
 *
 * @param support        [count, support_rows, dimensions], one block per episode.
 * @param support_labels [support_rows] in 0..<n_way, the same for every episode.
 * @param features       [image_count, dimensions], from which the queries are taken.
 * @param query          [count, query_rows] rows of `features`.
 * @param query_labels   [count, query_rows] in 0...n_way, where n_way is any unknown class; each
 *                       episode has a query of a known and one of an unknown class.
 * @param score          SKD_OPEN_SET_CENTROID_COSINE or SKD_OPEN_SET_MAX_PROBABILITY.
 * @param aurocs         [count], as of skd_open_set_quality.
 * @param fpr95s         [count], as of skd_open_set_quality.
 */
skd_status skd_open_set_episodes(const float *support, const int64_t *support_labels,
                                 int64_t count, int64_t support_rows, int64_t dimensions,
                                 const float *features, int64_t image_count, const int64_t *query,
                                 const int64_t *query_labels, int64_t query_rows, int64_t n_way,
                                 int32_t score, double *aurocs, double *fpr95s);

/** Examples of a support set, and the rows of features that are copies of them. */
typedef struct {
  const float *features;   /**< [rows, dimensions], finite. */
  const int64_t *labels;   /**< [rows] in 0..<classes, each present. */
  const int64_t *examples; /**< [rows] in 0..<count: the example of each row. Every example has a row,
                                and its rows have one label. */
  int64_t rows, dimensions, classes;
  const float *plain;      /**< [count, dimensions], finite: each example as a query would be. */
  int64_t count;           /**< Examples, >= 1. */
} skd_support_examples;

/**
 * The temperature of the probabilities softmax(scores / temperature) of a classifier that is fitted to
 * a support set: its mean margin over the examples, divided by the k that minimises
 *
 *     sum over examples n of CE(softmax(k z_n), label_n) + strength / 2 (log k - log prior)^2
 *
 * z_n are the scores of example n by a classifier that was fitted without it, divided by the mean
 * margin of that classifier. Round r leaves out the r-th example of each class that has others, with
 * all of its rows, in at most 10 rounds. A margin is the score of the right class minus the mean of
 * the other scores. Without an example that can be left out, k is the prior. The temperature is 1 if
 * the mean margin is not positive.
 *
 * @param classifier  An inductive classifier.
 * @param prior       > 0.
 * @param strength    >= 0.
 */
skd_status skd_calibrate_temperature(const skd_classifier_options *classifier,
                                     const skd_support_examples *support, double prior,
                                     double strength, double *temperature);

/**
 * The least cosine with the nearest class mean at which a query counts as one of the known classes:
 * that quantile of the cosines of examples that were left out, or, if every class has a single
 * example, the mean over the examples of the cosine with the nearest mean of the other classes.
 *
 * @param known_rate  Share of the queries of known classes to accept, in (0, 1).
 */
skd_status skd_rejection_threshold(const skd_support_examples *support, double known_rate,
                                   double *threshold);

/**
 * The expected calibration error, over bins of confidence of equal width.
 *
 * @param confidences       [count] in 0...1; count >= 1.
 * @param is_correct        [count]; 0 for a wrong prediction.
 * @param bins              1...10000.
 * @param counts            [bins] predictions of each bin.
 * @param mean_confidences  [bins]; 0 for an empty bin.
 * @param accuracies        [bins] shares of correct predictions; 0 for an empty bin.
 * @param error             Mean over the predictions of |accuracy - mean confidence| of their bins.
 */
skd_status skd_calibration_bins(const double *confidences, const uint8_t *is_correct, int64_t count,
                                int64_t bins, int64_t *counts, double *mean_confidences,
                                double *accuracies, double *error);

/** Mean and half-width of its 95 % Student-t interval (ddof 1); the latter is NaN for count 1. */
skd_status skd_mean_ci95(const double *values, int64_t count, double *mean, double *ci95);

/* =============================================================================== Models */

/** A backbone with its classifier, and optionally a rotation head. Opaque; freed by its creator. */
typedef struct skd_model skd_model;

/**
 * Precision of the operands of a model's 3x3 convolutions, in training and evaluation. Weights, sums,
 * gradients and everything else are float32 in both.
 */
enum { SKD_FLOAT32 = 0, SKD_BFLOAT16 = 1 };

/** Options of a model. Zero or NULL selects the architecture's default. */
typedef struct {
  const char *architecture; /**< "resnet12", "seresnet12", "resnet18", "resnet24", "convnet4" or
                                 "wrn_28_10". */
  int64_t num_classes;      /**< 1...1,000,000. */
  int64_t image_size;       /**< Side in pixels; 1...4096, and large enough for the poolings. */
  int64_t input_channels;   /**< 1...4; 0 for 3. */
  const int64_t *widths;    /**< Channels of each stage, or NULL. */
  int64_t width_count;
  float drop_rate;          /**< In [0, 1); negative for the default. */
  int64_t dropblock_size;   /**< 0 for the default of the image size. */
  int32_t rotation_head;    /**< 1 yes, 0 no, -1 default: resnet12, 18 and 24 have one. */
  uint64_t seed;            /**< Seed of the initial weights. */
  int32_t precision;        /**< SKD_FLOAT32 or SKD_BFLOAT16. */
  int32_t use_se;           /**< 1 gates the blocks of a resnet; 0: seresnet12 has gates alone. */
  int32_t zero_state;       /**< 1 leaves the state zero, for skd_model_load; 0 draws weights. */
} skd_model_config;

typedef struct {
  int64_t num_classes, image_size, input_channels, embedding_dim;
  int64_t parameter_count; /**< Trainable scalars. */
  int64_t state_count;     /**< Entries of the state dict. */
  int64_t stage_count;     /**< Stages of the backbone. */
  int64_t minimum_image_size; /**< Smallest side of an image in training, in pixels. */
  int32_t has_rotation_head;
} skd_model_info;

enum { SKD_PARAMETER = 0, SKD_BUFFER = 1, SKD_COUNTER = 2 };

/** One entry of the state dict; pointers and strings live as long as the model. */
typedef struct {
  const char *name;      /**< PyTorch's. */
  int32_t kind;          /**< SKD_PARAMETER and SKD_BUFFER hold float32, SKD_COUNTER int64. */
  int32_t dimensions;    /**< 0...4. */
  int64_t shape[4];      /**< PyTorch's. */
  int64_t strides[4];    /**< In elements: the storage need not be contiguous in this order. */
  const void *data;      /**< Read only: write through skd_model_load. */
  const float *gradient; /**< From the last trainer call; NULL unless a parameter. Same strides. */
} skd_state_entry;

/** Creates a model with fresh weights, or without any. @param model Set to the handle; free it. */
skd_status skd_model_create(const skd_model_config *config, skd_model **model);

/** A model of equal configuration and state, sharing nothing. */
skd_status skd_model_clone(skd_model *model, skd_model **clone);

/** Releases a handle; trainers that use the model keep it alive. NULL is a no-op. */
void skd_model_free(skd_model *model);

skd_status skd_model_get_info(skd_model *model, skd_model_info *info);

/** Entry `index` in 0..<state_count, in PyTorch's order. */
skd_status skd_model_get_entry(skd_model *model, int64_t index, skd_state_entry *entry);

/**
 * Locks a model for this thread: calls of other threads wait until skd_model_unlock, so the calls in
 * between, and reads of the state's memory, see one state. Locks nest, and are allowed within the
 * model's own training step.
 */
skd_status skd_model_lock(skd_model *model);

/** Ends skd_model_lock on the same thread; otherwise a no-op, for example in the child of a fork. */
void skd_model_unlock(skd_model *model);

/**
 * Replaces the whole state, or nothing of it.
 *
 * @param arrays state_count C-contiguous arrays of the entries' shapes and types, finite; variances
 *               >= 0, counters in 0...2^62. They are copied first, so they may lie in the model's own
 *               memory, in any order.
 */
skd_status skd_model_load(skd_model *model, const void *const *arrays, int64_t count);

/**
 * Evaluates images with running statistics and without dropout. batch >= 0.
 *
 * @param images      [batch, image_size, image_size, input_channels], normalised.
 * @param embeddings  [batch, embedding_dim]; may be NULL.
 * @param logits      [batch, num_classes]; may be NULL.
 * @param rotation    [batch, 4]; may be NULL, must be without a rotation head.
 */
skd_status skd_model_evaluate(skd_model *model, const float *images, int64_t batch,
                              float *embeddings, float *logits, float *rotation);

/**
 * Bytes that the model's buffers hold once `batch` >= 0 images are evaluated: its state and what the
 * passes need, without the caller's arrays. Nothing is allocated to find out.
 *
 * skd_model_evaluate and skd_model_stage_output return SKD_OUT_OF_MEMORY before they begin if that
 * is more than the machine has left.
 */
skd_status skd_model_evaluation_memory(skd_model *model, int64_t batch, int64_t *bytes);

/**
 * Returns SKD_OUT_OF_MEMORY unless the machine has the memory that an evaluation of `batch` images
 * would still allocate, and `further_bytes` >= 0 for the caller's arrays besides.
 */
skd_status skd_model_require_memory(skd_model *model, int64_t batch, int64_t further_bytes);

/** Number of images that an evaluation passes at a time, which bounds its memory. */
int64_t skd_evaluation_batch(void);

/** Extent of the output of `stage` in 0..<stage_count for a batch of images. */
skd_status skd_model_stage_shape(skd_model *model, int64_t batch, int64_t stage,
                                 skd_image_shape *shape);

/** Output of a stage in evaluation, after its pooling: NHWC floats of skd_model_stage_shape. */
skd_status skd_model_stage_output(skd_model *model, const float *images, int64_t batch,
                                  int64_t stage, float *output);

/* ============================================================================= Training */

/** An objective with its optimiser, over one model. Opaque; freed by its creator. */
typedef struct skd_trainer skd_trainer;

enum { SKD_SUPERVISED = 0, SKD_GEN0 = 1, SKD_GEN1 = 2, SKD_DISTILLED = 3 };

typedef struct {
  int32_t objective;      /**< One of the four; SKD_GEN0 needs a rotation head. */
  float rotation_weight;  /**< Gen-0: weight of the rotation loss, alpha in the paper; >= 0. */
  float twin_weight;      /**< Gen-1: weight of the mean twin term, beta in the paper; >= 0. */
  float cross_entropy_weight; /**< Distilled: weight of the cross-entropy, alpha; >= 0. */
  float distillation_weight;  /**< Distilled: weight of the divergence from the teacher, beta;
                                   >= 0. */
  float temperature;      /**< Gen-1 and distilled: > 0. */
  int32_t twin_90, twin_180, twin_270; /**< Gen-1: 1 for each twin in the mean; at least one. */
  int32_t all_views;      /**< Gen-1: 1 passes all four rotations through the student. */
  int32_t rotations_per_image; /**< Gen-0: 1...4; fewer than 4 are drawn for each image and step.
                                    0 for 4. */
  float learning_rate, momentum, weight_decay; /**< SGD: each finite and >= 0; momentum < 1. */
  uint64_t seed;          /**< Seed of dropout, DropBlock and random rotations. */
} skd_trainer_config;

/** Losses of one step; 0 for terms that the objective lacks. Accuracies are fractions 0...1. */
typedef struct {
  float total, cross_entropy, rotation, distillation, twin, accuracy, rotation_accuracy;
} skd_losses;

/** Creates a trainer. @param teacher Gen-1 and distilled: another model of equal classes, image
 *  size and channels; else NULL. Both models are kept alive. */
skd_status skd_trainer_create(skd_model *model, skd_model *teacher,
                              const skd_trainer_config *config, skd_trainer **trainer);

void skd_trainer_free(skd_trainer *trainer);

/**
 * Bytes that the buffers of a trainer and its models hold once it takes steps of `batch` >= 1 images:
 * state, gradients, velocities, activations and workspaces, without the caller's arrays. Nothing is
 * allocated to find out.
 *
 * A step returns SKD_OUT_OF_MEMORY before it begins if that is more than the machine has left.
 *
 * @param side  As in skd_step_options.
 */
skd_status skd_trainer_step_memory(skd_trainer *trainer, int64_t batch, int64_t side,
                                   int64_t *bytes);

/**
 * Returns SKD_OUT_OF_MEMORY unless the machine has the memory that a step of `batch` images would
 * still allocate, and `further_bytes` >= 0 for the caller's arrays besides.
 */
skd_status skd_trainer_require_memory(skd_trainer *trainer, int64_t batch, int64_t side,
                                      int64_t further_bytes);

/** Inputs of a caller's term: skd_term_input.rows. */
enum { SKD_TERM_LOGITS = 0, SKD_TERM_EMBEDDING = 1 };

/** Input of a term's function. */
typedef struct {
  /** [view_count * batch, dimensions]: all images in the first view, then in the second. Read only
   *  and meant for the call; the memory stays readable, with other content, while the model lives. */
  const float *rows;
  int64_t batch, view_count, dimensions;
  const int32_t *degrees; /**< Rotation of each view, counter-clockwise: 0, 90, 180 or 270. */
  const int64_t *labels;  /**< `batch` classes, or NULL if the step has none. */
} skd_term_input;

/**
 * Value of a term, and its gradient with respect to the rows.
 *
 * Called on the thread of the trainer call, once, between the forward and the backward pass. It may
 * use other models; the trainer's own refuse it.
 *
 * @param value     Set to the value, not weighted.
 * @param gradient  Set to floats of the extent of the rows, which stay valid until the trainer call
 *                  returns.
 * @return 0, or anything else to give the step up with SKD_CALLBACK_FAILED.
 */
typedef int32_t (*skd_term_function)(void *context, const skd_term_input *input, double *value,
                                     const float **gradient);

/** A term that joins the loss: weight * value. */
typedef struct {
  const char *name; /**< For error messages. */
  int32_t reads;    /**< SKD_TERM_LOGITS or SKD_TERM_EMBEDDING. */
  float weight;     /**< Any finite number. */
  skd_term_function function;
  void *context;    /**< Handed to `function`. */
} skd_term;

/**
 * Replaces each of `count` values by its sum over all processes, in all of them, before it returns.
 *
 * The sums must have the same bits in every process. @return 0, or anything else to give the step up
 * with SKD_CALLBACK_FAILED.
 */
typedef int32_t (*skd_sum_function)(void *context, double *values, int64_t count);

/**
 * Begins to replace `count` gradients by their sums over all processes, and may return before that
 * is done: the library leaves them alone until the skd_await_function of the step has returned.
 * @return As skd_sum_function.
 */
typedef int32_t (*skd_begin_function)(void *context, float *gradients, int64_t count);

/** Returns when all sums that an skd_begin_function began are complete. @return As skd_sum_function. */
typedef int32_t (*skd_await_function)(void *context);

/**
 * The shard of a batch that one of several processes trains on, and the all-reduce with the others.
 *
 * The functions are called on the thread of the trainer call. Every process makes the same calls,
 * with the same counts in the same order, if the models, the objective, the step count and `total` are
 * the same in all. A call that fails in one process only, for example for lack of memory, leaves the
 * others waiting: the caller has to end them. A loss, gradient or term that is not finite, or a term
 * that fails, ends the call in all processes.
 */
typedef struct {
  int64_t first;           /**< Position of this part's first image in the whole batch,
                                0...2^28. */
  int64_t total;           /**< Images of the whole batch, first + batch...2^28 + batch. */
  int32_t sync_batch_norm; /**< 1: batch norms take their statistics over the whole batch, and the
                                step equals, to rounding, one process's step with all images. 0:
                                over this part, and running statistics differ between processes. */
  skd_sum_function sum;
  skd_begin_function begin_gradients;
  skd_await_function await_gradients;
  void *context;           /**< Handed to the functions. */
} skd_batch_share;

/** Options of a step. A struct of zeros selects the defaults. */
typedef struct {
  const skd_term *terms; /**< Terms that join the loss; may be NULL if there are none. Not allowed
                              for a Gen-0 trainer with rotations_per_image < 4. */
  int64_t term_count;    /**< 0...64. */
  const skd_batch_share *share; /**< NULL if the batch is the whole one. */
  int64_t side; /**< Height and width of the images in pixels, at least the smallest that the
                     architecture takes; 0 for the model's image_size. */
} skd_step_options;

/**
 * One training step: forward, losses, backward, SGD.
 *
 * On a part of a batch, all losses are means over the whole batch, including the terms, each of which
 * counts as a mean over its images. Random choices depend on an image's position in the whole batch.
 *
 * @param images  [batch, side, side, input_channels], normalised, not rotated.
 *                batch >= 1, and >= 2 values per channel for the batch norms.
 * @param labels  `batch` classes in 0..<num_classes. Gen-1 uses them for the accuracy only; NULL
 *                is allowed there, and the accuracy is then 0.
 * @param options May be NULL for the defaults.
 * @param losses  Set to the terms of the loss; `total` contains the caller's terms.
 * @return SKD_NON_FINITE, with nothing updated, if the loss, a term, a gradient, or a parameter or
 *         velocity after the update is not finite.
 */
skd_status skd_trainer_step(skd_trainer *trainer, const float *images, const int64_t *labels,
                            int64_t batch, const skd_step_options *options, skd_losses *losses);

/** The losses and gradients of the step that skd_trainer_step would take, without any update. On a
 *  part of a batch, gradients are sums over all processes. */
skd_status skd_trainer_loss(skd_trainer *trainer, const float *images, const int64_t *labels,
                            int64_t batch, const skd_step_options *options, skd_losses *losses);

/** skd_model_lock for the models of a trainer. */
skd_status skd_trainer_lock(skd_trainer *trainer);

/** Ends skd_trainer_lock. */
void skd_trainer_unlock(skd_trainer *trainer);

/** Changes the learning rate. @param learning_rate Finite, >= 0. */
skd_status skd_trainer_set_learning_rate(skd_trainer *trainer, double learning_rate);

/** Steps taken so far; it seeds dropout and drives DropBlock's ramp. */
skd_status skd_trainer_get_step(skd_trainer *trainer, int64_t *step);

/** Terms of the last step or loss, also of one that returned SKD_NON_FINITE; at first zeros. */
skd_status skd_trainer_get_losses(skd_trainer *trainer, skd_losses *losses);

/**
 * SGD's velocity (momentum buffer) of the parameter at state `index`.
 *
 * The next step depends on the velocities, the model's state, the learning rate and the step count,
 * and on nothing else. Before the first step the velocities are zero, so that step's velocity is its
 * gradient.
 *
 * @param velocity  Set to floats of the entry's shape and strides, which live as long as the
 *                  trainer; read only: write through skd_trainer_load. NULL for an entry that is no
 *                  parameter.
 */
skd_status skd_trainer_get_velocity(skd_trainer *trainer, int64_t index, const float **velocity);

/**
 * Replaces the velocities and the step count. All or nothing.
 *
 * @param velocities  state_count C-contiguous arrays of the entries' shapes, finite; the array of
 *                    an entry that is no parameter is not read.
 * @param step        0...2^47.
 */
skd_status skd_trainer_load(skd_trainer *trainer, const float *const *velocities, int64_t count,
                            int64_t step);

/** 1 if the last loss or step gave the parameter at state `index` a gradient, else 0. */
skd_status skd_trainer_has_gradient(skd_trainer *trainer, int64_t index, int32_t *has_gradient);

#ifdef __cplusplus
}
#endif

#endif
