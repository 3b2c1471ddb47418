// PyTorch's checkpoints: the same weights however they are stored, and nothing run.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "complaint.h"
#include "formats/pickle.h"
#include "formats/torch_bytes.h"
#include "formats/torch_tensors.h"
#include "gmock/gmock.h"
#include "mobilenet/mobilenet.h"
#include "runtime/reference_run.h"
#include "shared_data.h"

namespace mobilenet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::string_literals;

std::span<const std::uint8_t> BytesOf(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

Model Parse(const std::string& bytes) { return Model::Parse(BytesOf(bytes), "w.pth"); }

constexpr V1Options kV1 = {
    .alpha = 0.05, .classes = 3, .padding = PaddingStyle::kSymmetric, .epsilon = 1e-5F};
constexpr V2Options kV2 = {.alpha = 0.1, .classes = 3, .padding = PaddingStyle::kSymmetric, .epsilon = 1e-5F};

// Up to a share of each, and for half precision's smallest numbers, which keep fewer digits, a little more.
void ExpectWeights(const Model& model, const Network& network, float rounding) {
  const float least = rounding > 0 ? 1e-7F : 0;
  EXPECT_EQ(model.network.recipe, network.recipe);
  for (const auto& [name, tensor] : RandomWeights(network, 8)) {
    const auto& read = model.weights.at(name).values;
    ASSERT_EQ(read.size(), tensor.values.size()) << name;
    for (std::size_t i = 0; i < read.size(); ++i)
      ASSERT_NEAR(read[i], tensor.values[i], least + rounding * std::abs(tensor.values[i])) << name;
  }
}

TEST(TorchFile, WeightsAreTheSameHoweverTheyAreStored) {
  const Network network = V2(kV2);
  const Weights tensors = TorchTensors(network, TorchvisionNames);
  ExpectWeights(Parse(TorchArchive(CheckpointOf(tensors))), network, 0);
  ExpectWeights(Parse(OldTorchFile(CheckpointOf(tensors))), network, 0);
  ExpectWeights(Parse(TorchArchive(CheckpointOf(tensors, "FloatStorage", "", true))), network, 0);
  ExpectWeights(Parse(TorchArchive(CheckpointOf(tensors, "DoubleStorage"))), network, 0);
  ExpectWeights(Parse(TorchArchive(CheckpointOf(tensors, "HalfStorage"))), network, 1e-3F);
  ExpectWeights(Parse(TorchArchive(CheckpointOf(tensors, "BFloat16Storage"))), network, 1e-2F);
}

TEST(TorchFile, TimmsV4) {
  const Network network = V4({.alpha = 0.1, .classes = 3});
  ExpectWeights(Parse(TorchArchive(CheckpointOf(TorchTensors(network, TimmV4SmallNames)))), network, 0);
}

TEST(TorchFile, TimmsV1) {
  const Network network = V1(kV1);
  const Model model = Parse(TorchArchive(CheckpointOf(TorchTensors(network, TimmV1Names))));
  ExpectWeights(model, network, 0);
  EXPECT_EQ(model.preprocessing.filter, ResizeFilter::kBicubic);
}

// What wrappers put before all names goes; what lies beside the state dictionary is named.
TEST(TorchFile, AStateDictionaryAmongOtherThings) {
  const Weights tensors = TorchTensors(V2(kV2), TimmNames);
  Checkpoint checkpoint = CheckpointOf(tensors, "FloatStorage", "module.");
  const std::string state = checkpoint.pickle.substr(2, checkpoint.pickle.size() - 3);
  checkpoint.pickle = PickleBytes()
                          .Raw("}(")
                          .Text("epoch")
                          .Number(7)
                          .Text("optimizer")
                          .Raw("}")
                          .Text("state_dict")
                          .Raw(state)
                          .Text("best")
                          .Raw("G\x3F\xE0\0\0\0\0\0\0"s)
                          .Raw("u")
                          .Take();
  for (const std::string& file : {TorchArchive(checkpoint), OldTorchFile(checkpoint)}) {
    const Model model = Parse(file);
    ExpectWeights(model, V2(kV2), 0);
    EXPECT_EQ(model.provenance.at("state dictionary"), "state_dict.module");
    EXPECT_EQ(model.provenance.at("ignored"), "best, epoch, optimizer");
  }
}

// Of the weights and their average, the average.
TEST(TorchFile, TheAverageOfTheWeightsIsPreferred) {
  const auto state = [](std::int64_t count) {
    return PickleBytes().Raw("}").Text("x").Tensor("FloatStorage", "0", count, {count}).Raw("s").Take();
  };
  const std::string both = PickleBytes()
                               .Raw("}(")
                               .Text("state_dict")
                               .Raw(state(2).substr(2, state(2).size() - 3))
                               .Text("state_dict_ema")
                               .Raw(state(1).substr(2, state(1).size() - 3))
                               .Raw("u")
                               .Take();
  EXPECT_THAT(Complaint([&] {
                Parse(TorchArchive({both, {{"0", std::string(4, '\0')}}}));
              }),
              HasSubstr("is a PyTorch checkpoint of 1 tensors, from x to x, but of no MobileNet"));
}

std::string ComplaintOf(const std::string& pickle, const std::map<std::string, std::string>& storages = {}) {
  return Complaint([&] { Parse(TorchArchive({pickle, storages})); });
}

TEST(TorchFile, PythonObjectsAreRefusedByTheirNames) {
  EXPECT_THAT(ComplaintOf(PickleBytes().Global("posix", "system").Raw("(").Text("true").Raw("tR").Take()),
              HasSubstr("w.pth: holds the Python object posix.system, and code would have to run"));
  EXPECT_THAT(ComplaintOf(PickleBytes().Text("os").Text("system").Raw("\x93)R").Take()),
              HasSubstr("the Python object os.system"));
  EXPECT_THAT(ComplaintOf(PickleBytes().Global("torch", "load").Raw(")R").Take()),
              HasSubstr("the Python object torch.load"));
  EXPECT_THAT(ComplaintOf(PickleBytes().Global("torchvision.models.mobilenetv2", "MobileNetV2").Take()),
              HasSubstr("torchvision.models.mobilenetv2.MobileNetV2"));
  EXPECT_THAT(ComplaintOf(PickleBytes().Global("torch", "float32").Raw(")R").Take()),
              HasSubstr("it calls torch.float32"));
}

TEST(TorchFile, OtherArchivesAreToldWhatTheyAre) {
  const Checkpoint checkpoint = {PickleBytes().Raw("}").Take(), {}};
  EXPECT_THAT(Complaint([&] {
                Parse(TorchArchive(checkpoint, {{"weights/constants.pkl", "x"}}));
              }),
              HasSubstr("is a TorchScript archive, a program"));
  EXPECT_THAT(Complaint([&] {
                Parse(TorchArchive(checkpoint, {{"weights/byteorder", "big"}}));
              }),
              HasSubstr("big-endian"));
  EXPECT_THAT(Complaint([&] {
                Parse(ZipOf({{"photo.jpg", "x"}}));
              }),
              HasSubstr("is a ZIP archive: unpack it first"));
  EXPECT_THAT(Complaint([&] { Parse(ZipOf({{"a.npy", "x"}})); }), HasSubstr("is a NumPy archive"));
}

TEST(TorchFile, WhatHasNoStateDictionaryIsRefused) {
  EXPECT_THAT(ComplaintOf(PickleBytes().Raw("}").Take()), HasSubstr("but nothing"));
  EXPECT_THAT(ComplaintOf(PickleBytes().Raw("}").Text("epoch").Number(1).Raw("s").Take()),
              HasSubstr("such as state_dict or model, but epoch"));
  EXPECT_THAT(ComplaintOf(PickleBytes().Number(1).Take()), HasSubstr("holds no state dictionary"));
}

// One dictionary with a tensor "x" as described.
std::string OneTensor(std::string_view type, std::int64_t count, const std::vector<std::int64_t>& shape,
                      const std::vector<std::int64_t>& strides = {}, std::int64_t offset = 0) {
  return PickleBytes().Raw("}").Text("x").Tensor(type, "0", count, shape, strides, offset).Raw("s").Take();
}

TEST(TorchFile, TensorsThatDontLieInTheirStorages) {
  const std::map<std::string, std::string> ten = {{"0", std::string(40, '\0')}};
  EXPECT_THAT(ComplaintOf(OneTensor("FloatStorage", 10, {10}), ten), HasSubstr("of no MobileNet"));
  for (const std::string& pickle :
       {OneTensor("FloatStorage", 11, {11}), OneTensor("FloatStorage", 10, {10}, {}, 1),
        OneTensor("FloatStorage", 10, {10}, {2}), OneTensor("FloatStorage", 10, {5}, {}, -1),
        OneTensor("FloatStorage", 10, {-5}), OneTensor("FloatStorage", 10, {2, 5}, {1}),
        OneTensor("FloatStorage", 10, {std::int64_t{1} << 62, 8}),
        OneTensor("FloatStorage", 10, {2}, {-1}, 5)})
    EXPECT_THAT(ComplaintOf(pickle, ten), HasSubstr("does not lie in its storage of 10 values"));
  EXPECT_THAT(ComplaintOf(OneTensor("FloatStorage", 1, {1, 1, 1, 1, 1, 1, 1, 1, 1}), ten),
              HasSubstr("9 dimensions"));
  EXPECT_THAT(ComplaintOf(OneTensor("FloatStorage", 10, {10})), HasSubstr("holds no file weights/data/0"));
  EXPECT_THAT(ComplaintOf(OneTensor("ComplexFloatStorage", 1, {1}), ten), HasSubstr("ComplexFloatStorage"));
}

// A view that repeats one value has a storage for it, as large as itself.
TEST(TorchFile, ValuesThatAreRepeatedTakeNoMoreThanTheFile) {
  PickleBytes pickle;
  pickle.Raw("}(");
  for (int i = 0; i < 100; ++i)
    pickle.Text("x" + std::to_string(i)).Tensor("ByteStorage", "0", 40'000, {200, 200}, {1, 200});
  const std::map<std::string, std::string> storages = {{"0", std::string(40'000, '\0')}};
  EXPECT_THAT(ComplaintOf(pickle.Raw("u").Take(), storages), HasSubstr("hold the same values many times"));
}

TEST(TorchFile, BombsAreRefused) {
  const std::vector<ZipMember> files = {{"w/data.pkl", "x"},
                                        {"w/data/0", std::string(1000, '\0'), 8, 4'000'000'000U}};
  EXPECT_THAT(Complaint([&] { Parse(ZipOf(files)); }),
              HasSubstr("whose files would take more than 10 times as many"));
  PickleBytes many;
  many.Raw("(");
  many.Raw(std::string(400'000, ']'));
  EXPECT_THAT(ComplaintOf(many.Raw("t").Take()), HasSubstr("holds more than 300000 objects"));
}

TEST(TorchFile, WhereverItIsCutOffThereIsAMessage) {
  const Weights one = {{"x", Tensor::Of({2, 2}, {1, 2, 3, 4})}};
  for (const std::string& whole : {TorchArchive(CheckpointOf(one)), OldTorchFile(CheckpointOf(one))}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string complaint = Complaint([&] { Parse(whole.substr(0, size)); });
      EXPECT_NE(complaint, "no error") << size;
      EXPECT_THAT(complaint, testing::Not(HasSubstr("of no MobileNet"))) << size;
    }
  }
}

// Any change of a byte gives a message or is none that matters: nothing is read out of bounds, and nothing
// else is thrown.
TEST(TorchFile, DamagedPickles) {
  const std::string whole = CheckpointOf({{"x", Tensor::Of({2, 2}, {1, 2, 3, 4})}}).pickle;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int value : {0, 1, 0x28, 0x2E, 0x52, 0x61, 0x75, 0x7F, 0x80, 0xFF}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(value);
      EXPECT_NE(ComplaintOf(damaged, {{"0", std::string(16, '\0')}}), "no error");
    }
  }
}

// Values, as protocol 4 writes them, too: a tuple of nothing, true, -2, 300, -1 as a long, 0.5, bytes, a text
// that was kept, a list.
TEST(Pickle, Values) {
  const std::string text =
      "\x80\x04\x95\0\0\0\0\0\0\0\0(N\x88J\xFE\xFF\xFF\xFFM\x2C\x01\x8A\x01\xFFG\x3F\xE0\0\0\0\0\0\0"
      "C\x02\0\x01\x8C\x02hi\x94h\x00]\x94(K\x01K\x02"
      "eK\x03"
      "at."s;
  std::size_t position = 0;
  const Pickle pickle = ReadPickle(BytesOf(text), position, "p");
  EXPECT_EQ(position, text.size());
  const auto& all = *pickle.As<Pickle::List>(pickle.root);
  ASSERT_EQ(all.size(), 10U);
  EXPECT_NE(pickle.As<Pickle::None>(all[0]), nullptr);
  EXPECT_EQ(*pickle.As<bool>(all[1]), true);
  EXPECT_EQ(*pickle.As<std::int64_t>(all[2]), -2);
  EXPECT_EQ(*pickle.As<std::int64_t>(all[3]), 300);
  EXPECT_EQ(*pickle.As<std::int64_t>(all[4]), -1);
  EXPECT_EQ(*pickle.As<double>(all[5]), 0.5);
  EXPECT_EQ(pickle.Text(all[6]), "\0\x01"s);
  EXPECT_EQ(pickle.Text(all[7]), "hi");
  EXPECT_EQ(all[8], all[7]);
  EXPECT_EQ(pickle.As<Pickle::List>(all[9])->size(), 3U);
}

// The inputs of cases/README.md at x / 127.5 - 1; the logits are PyTorch's 2.15, of the package
// efficientnet-lite-pytorch 0.1.0.
TEST(TorchFile, EfficientNetLite) {
  MOBILENET_REQUIRE_DATA();
  const Model model = Model::Load(SharedData() / "models" / "efficientnet-lite0.pth");
  std::vector<float> input(static_cast<std::size_t>(model.network.input.size()));
  for (std::size_t i = 0; i < input.size(); ++i)
    input[i] = static_cast<float>(static_cast<std::uint32_t>(i * 2654435761U) >> 24) / 127.5F - 1;
  EXPECT_EQ(model.preprocessing.mean[1], 127);
  std::vector<float> logits(1000);
  ASSERT_TRUE(Runner(Plan(model.network, model.weights)).Run(input, logits));
  const float expected[] = {-1.70430F, 0.47689F,  -0.36186F, -1.44762F,
                            0.30621F,  -0.99689F, -1.25628F, -1.84564F};
  for (std::size_t i = 0; i < std::size(expected); ++i) EXPECT_NEAR(logits[i], expected[i], 1e-4) << i;
}

// Written by timm 1.0.31 and PyTorch 2.15: tests/data/make_torch_weights.py.
TEST(TorchFile, ACheckpointThatPytorchWrote) {
  const Model model =
      Model::Load(std::filesystem::path(MOBILENET_SOURCE_DIR) / "tests" / "data" / "timm_v1.pth");
  EXPECT_EQ(TitleOf(model.network), "MobileNet V1, alpha 0.125, 224 x 224");
  std::vector<float> input(static_cast<std::size_t>(model.network.input.size()));
  for (std::size_t i = 0; i < input.size(); ++i)
    input[i] = static_cast<float>(static_cast<std::uint32_t>(i * 2654435761U) >> 24) / 127.5F - 1;
  const float expected[] = {-1.1517F, -4.4729F, -0.0238F};
  EXPECT_THAT(ReferenceRun(model.network, model.weights, input),
              testing::Pointwise(testing::FloatNear(1e-4F), expected));
}

}  // namespace
}  // namespace mobilenet
