// A C face on libtorch for the engines `torch` and `cuda`: builds a network from the numbers that
// dev.espalier.nn.torch.TorchNetwork writes, and runs batches through it. Parameters are tensors over
// memory of the caller, on the host or on a device; nothing here owns or copies them.
//
// Every function that can fail returns null or a negative number then, and et_error() says why.

#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

using torch::Tensor;
namespace F = torch::nn::functional;

thread_local std::string error;

enum Kind : int64_t { DENSE, CONVOLUTION, LARGEST, MEAN, EMBEDDING, LSTM };
enum Activation : int64_t { NONE, RELU, TANH };

// rows and columns are those of the parameter matrix, 0 for a layer without one.
struct Layer {
  Kind kind;
  int64_t size;  // kernel, side of a pooling, units
  Activation activation;
  int64_t rows;
  int64_t columns;
};

// Gives the memory of a layer's matrix and says where it lies: -1 the host, else a device. Null: the
// caller failed.
typedef float *(*ParametersOf)(int64_t layer, int32_t *device);
// Takes the gradient sums of a layer's matrix, rows x columns floats of the host (device -1) or of a
// device. NOT_FROM_THERE: nothing was taken, and the host is asked for. Anything else but TAKEN: failed.
typedef int32_t (*GradientOf)(int64_t layer, const float *values, int32_t device);
enum { TAKEN = 0, NOT_FROM_THERE = 2 };

struct Network {
  std::vector<Layer> layers;
  int64_t height, width, channels;
  torch::Device device;
};

Tensor activated(const Tensor &x, Activation activation) {
  switch (activation) {
    case RELU: return torch::relu(x);
    case TANH: return torch::tanh(x);
    default: return x;
  }
}

Tensor convolved(const Layer &layer, const Tensor &x, const Tensor &weights, const Tensor &bias) {
  int64_t k = layer.size;
  if (k == 1) return torch::matmul(x, weights) + bias;
  Tensor windows = weights.view({k, k, x.size(3), layer.columns}).permute({3, 2, 0, 1});
  return torch::conv2d(x.permute({0, 3, 1, 2}), windows, bias, 1, (k - 1) / 2).permute({0, 2, 3, 1});
}

Tensor pooled(const Layer &layer, const Tensor &x) {
  Tensor planes = x.permute({0, 3, 1, 2});
  Tensor result = layer.kind == LARGEST ? torch::max_pool2d(planes, layer.size)
                                        : torch::avg_pool2d(planes, layer.size);
  return result.permute({0, 2, 3, 1});
}

// cuDNN takes no transposed views, and copies what does not lie in one piece, in this order, once more
// in every call.
std::vector<Tensor> in_one_piece(const std::vector<Tensor> &matrices) {
  std::vector<Tensor> flat;
  for (const Tensor &matrix : matrices) flat.push_back(matrix.reshape(-1));
  Tensor all = torch::cat(flat);
  std::vector<Tensor> parts;
  int64_t begin = 0;
  for (const Tensor &matrix : matrices) {
    parts.push_back(all.narrow(0, begin, matrix.numel()).view(matrix.sizes()));
    begin += matrix.numel();
  }
  return parts;
}

Tensor remembered(const Layer &layer, const Tensor &x, const Tensor &weights, const Tensor &bias) {
  int64_t units = layer.size, inputs = x.size(3);
  Tensor sequence = x.reshape({x.size(0), x.size(1) * x.size(2), inputs});
  Tensor zeros = torch::zeros({1, x.size(0), units}, x.options());
  Tensor of_inputs = weights.slice(0, 0, inputs).t(), of_state = weights.slice(0, inputs).t();
  std::vector<Tensor> matrices{of_inputs, of_state, bias, torch::zeros_like(bias)};
  if (x.is_cuda()) matrices = in_one_piece(matrices);
  Tensor result = std::get<0>(torch::lstm(
      sequence, {zeros, zeros}, matrices, true, 1, 0.0, torch::GradMode::is_enabled(), false, true));
  return result.view({x.size(0), x.size(1), x.size(2), units});
}

Tensor through(const Layer &layer, const Tensor &x, const Tensor &matrix) {
  if (layer.kind == LARGEST || layer.kind == MEAN) return pooled(layer, x);
  if (layer.kind == EMBEDDING) {
    return torch::embedding(matrix, x.squeeze(3).to(torch::kLong));
  }
  Tensor weights = matrix.slice(0, 0, layer.rows - 1), bias = matrix[layer.rows - 1];
  switch (layer.kind) {
    case DENSE: {
      Tensor y = torch::addmm(bias, x.reshape({x.size(0), layer.rows - 1}), weights);
      return activated(y.view({x.size(0), 1, 1, layer.columns}), layer.activation);
    }
    case CONVOLUTION: return activated(convolved(layer, x, weights, bias), layer.activation);
    default: return remembered(layer, x, weights, bias);
  }
}

struct Result {
  double loss_sum;
  double penalty;
  int64_t correct;
};

Tensor view(const Network &network, size_t layer, ParametersOf parameters_of) {
  int32_t device = -1;
  float *values = parameters_of(static_cast<int64_t>(layer), &device);
  if (!values) throw std::runtime_error("the parameters of a layer could not be read");
  auto place = device < 0 ? torch::Device(torch::kCPU) : torch::Device(torch::kCUDA, device);
  return torch::from_blob(
      values, {network.layers[layer].rows, network.layers[layer].columns},
      torch::TensorOptions().dtype(torch::kFloat32).device(place));
}

// Waits for what is queued on the stream that the calling thread works on.
void wait_for_stream(const torch::Device &device) {
  c10::impl::VirtualGuardImpl(device.type()).getStream(device).synchronize();
}

bool handed_over(GradientOf gradient_of, size_t layer, const Tensor &gradient) {
  auto number = static_cast<int64_t>(layer);
  int32_t answer = NOT_FROM_THERE;
  if (gradient.is_cuda()) {
    Tensor sums = gradient.contiguous();
    // Whoever takes them works on a stream of its own.
    wait_for_stream(sums.device());
    answer = gradient_of(number, sums.data_ptr<float>(), static_cast<int32_t>(sums.get_device()));
  }
  if (answer == NOT_FROM_THERE) {
    Tensor sums = gradient.to(torch::kCPU).contiguous();
    answer = gradient_of(number, sums.data_ptr<float>(), -1);
  }
  return answer == TAKEN;
}

void run(Network &network, int64_t count, const float *inputs, const int32_t *labels, double decay,
    ParametersOf parameters_of, GradientOf gradient_of, Result *result) {
  bool trains = gradient_of != nullptr;
  torch::AutoGradMode mode(trains);
  auto *source = const_cast<float *>(inputs);
  Tensor x = torch::from_blob(source, {count, network.height, network.width, network.channels})
                 .to(network.device);
  Tensor penalty = torch::zeros({}, x.options());
  std::vector<Tensor> views(network.layers.size());
  bool failed = false;
  for (size_t i = 0; i < network.layers.size(); i++) {
    const Layer &layer = network.layers[i];
    Tensor matrix;
    if (layer.rows > 0) {
      views[i] = view(network, i, parameters_of);
      if (trains) views[i].set_requires_grad(true);
      // A hook on a device would run on a thread of the library, and the caller's tables are used by
      // one thread only: gradients that lie there are handed over when all are made.
      if (trains && !views[i].is_cuda()) {
        views[i].register_hook([&failed, gradient_of, i](Tensor gradient) {
          if (!failed) failed = !handed_over(gradient_of, i, gradient);
        });
      }
      matrix = views[i].to(network.device);
      if (trains && decay > 0) {
        int64_t rows = layer.kind == EMBEDDING ? layer.rows : layer.rows - 1;
        penalty = penalty + matrix.slice(0, 0, rows).square().sum();
      }
    }
    x = through(layer, x, matrix);
  }
  int64_t positions = x.size(1) * x.size(2), classes = x.size(3);
  Tensor scores = x.reshape({count * positions, classes});
  Tensor targets = torch::from_blob(const_cast<int32_t *>(labels), {count * positions}, torch::kInt32)
                       .to(network.device, torch::kLong);
  Tensor losses = F::cross_entropy(
      scores, targets, F::CrossEntropyFuncOptions().ignore_index(-1).reduction(torch::kSum));
  penalty = penalty * (decay * static_cast<double>(count) / 2);
  if (trains) (losses / positions + penalty).backward();
  for (size_t i = network.layers.size(); trains && !failed && i-- > 0;) {
    if (views[i].defined() && views[i].is_cuda()) {
      failed = !handed_over(gradient_of, i, views[i].grad());
    }
  }
  if (failed) throw std::runtime_error("the gradient of a layer could not be added");
  torch::NoGradGuard guard;
  Tensor right = torch::logical_and(
      scores.argmax(1).eq(targets), torch::isfinite(torch::logsumexp(scores, 1)));
  // One transfer for all three.
  Tensor sums = torch::stack({losses.to(torch::kDouble), penalty.to(torch::kDouble),
                              right.sum().to(torch::kDouble)}).to(torch::kCPU);
  result->loss_sum = sums[0].item<double>();
  result->penalty = sums[1].item<double>();
  result->correct = static_cast<int64_t>(sums[2].item<double>());
}

}  // namespace

extern "C" {

const char *et_error() { return error.c_str(); }

const char *et_version() { return TORCH_VERSION; }

int32_t et_devices() {
  try {
    return torch::cuda::is_available() ? static_cast<int32_t>(torch::cuda::device_count()) : 0;
  } catch (const std::exception &e) {
    error = e.what();
    return -1;
  }
}

// Fixes threads and everything that would let the same inputs give other bits.
void et_set_up(int32_t threads) {
  torch::set_num_threads(threads);
  at::globalContext().setDeterministicCuDNN(true);
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setAllowTF32CuDNN(false);
}

// shape: height, width, channels. layers: kind, size, activation, rows, columns of each.
Network *et_build(const int64_t *shape, const int64_t *layers, int64_t count, int32_t device) {
  try {
    auto place = device < 0 ? torch::Device(torch::kCPU) : torch::Device(torch::kCUDA, device);
    auto *network = new Network{{}, shape[0], shape[1], shape[2], place};
    for (int64_t i = 0; i < count; i++, layers += 5) {
      network->layers.push_back({static_cast<Kind>(layers[0]), layers[1],
          static_cast<Activation>(layers[2]), layers[3], layers[4]});
    }
    return network;
  } catch (const std::exception &e) {
    error = e.what();
    return nullptr;
  }
}

void et_free(Network *network) { delete network; }

// inputs: count samples; labels: one per position, -1 where none. gradient_of null: a prediction.
int32_t et_run(Network *network, int64_t count, const float *inputs, const int32_t *labels,
    double decay, ParametersOf parameters_of, GradientOf gradient_of, Result *result) {
  try {
    run(*network, count, inputs, labels, decay, parameters_of, gradient_of, result);
    return 0;
  } catch (const c10::Error &e) {
    error = e.what_without_backtrace();
    return -1;
  } catch (const std::exception &e) {
    error = e.what();
    return -1;
  }
}
}
