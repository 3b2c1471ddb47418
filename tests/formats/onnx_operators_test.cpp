// What exporters write for the same network: each spelling is read as the network that it was made from.
#include <algorithm>
#include <cfloat>
#include <cstring>

#include "as_onnx.h"
#include "base/float16.h"
#include "gmock/gmock.h"
#include "mobilenet/preprocessing.h"

namespace mobilenet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Nodes = std::vector<onnx::Node>;

// V2 has all kinds of layers, at 32 pixels maps of one pixel, too.
Model SmallModel() { return RandomModel(V2Options{.alpha = 0.1, .resolution = 64, .classes = 3}); }

TEST(OnnxOperators, ReluAndClipHoweverSpelled) {
  const Model model = SmallModel();
  const auto expect = [&](const std::function<Nodes(onnx::Node)>& by, int operator_set = 17) {
    onnx::Model file = OnnxFileOf(model);
    file.mutable_opset_import(0)->set_version(operator_set);
    AddFloats(file, "zero", {1}, {0});
    AddFloats(file, "six", {}, {6});
    AddFloats(file, "most", {}, {FLT_MAX});
    Replace(file, "Clip", by);
    ExpectReadAs(file, model);
    EXPECT_EQ(Read(file).network.layers[0].activation, Activation::kRelu6);
  };
  const auto in = [](const onnx::Node& node) { return node.input(0); };
  const auto out = [](const onnx::Node& node) { return node.output(0); };
  expect(
      [&](const onnx::Node& node) {  // attributes, as in old operator sets
        onnx::Node clip = NodeOf("Clip", {in(node)}, out(node));
        SetFloat(clip, "min", 0);
        SetFloat(clip, "max", 6);
        return Nodes{clip};
      },
      9);
  expect([&](const onnx::Node& node) {
    return Nodes{NodeOf("Relu", {in(node)}, out(node) + "0"),
                 NodeOf("Min", {out(node) + "0", "six"}, out(node))};
  });
  expect([&](const onnx::Node& node) {
    return Nodes{NodeOf("Min", {"six", in(node)}, out(node) + "0"),
                 NodeOf("Max", {out(node) + "0", "zero"}, out(node))};
  });
  expect([&](const onnx::Node& node) {
    return Nodes{NodeOf("Clip", {in(node), "", "six"}, out(node) + "0"),
                 NodeOf("Relu", {out(node) + "0"}, out(node))};
  });
  expect([&](const onnx::Node& node) {
    return Nodes{NodeOf("Clip", {in(node), "zero", "most"}, out(node) + "0"),
                 NodeOf("Clip", {out(node) + "0", "", "six"}, out(node))};
  });
  expect([&](const onnx::Node& node) {  // bounds by nodes
    onnx::Node low = NodeOf("Constant", {}, out(node) + "0");
    SetFloat(low, "value_float", 0);
    onnx::Node high = NodeOf("Constant", {}, out(node) + "6");
    Attribute(high, "value")->mutable_t()->set_data_type(1);
    Attribute(high, "value")->mutable_t()->add_float_data(6);
    return Nodes{low, high, NodeOf("Clip", {in(node), out(node) + "0", out(node) + "6"}, out(node))};
  });
}

TEST(OnnxOperators, PlainReluIsNotClipped) {
  const Model model =
      RandomModel(V1Options{.alpha = 0.1, .resolution = 32, .classes = 3, .activation = Activation::kRelu});
  EXPECT_EQ(Read(OnnxFileOf(model)).network.layers[0].activation, Activation::kRelu);
  ExpectReadAs(OnnxFileOf(model), model);
}

TEST(OnnxOperators, AveragesHoweverSpelled) {
  const Model model = SmallModel();
  const auto expect = [&](const std::function<Nodes(onnx::Node)>& by) {
    onnx::Model file = OnnxFileOf(model);
    AddInts(file, "sides", {-1, 2});
    Replace(file, "GlobalAveragePool", by);
    ExpectReadAs(file, model);
  };
  expect([](onnx::Node node) {
    node.set_op_type("ReduceMean");
    SetInts(node, "axes", {2, 3});
    return Nodes{node};
  });
  expect([](onnx::Node node) {  // since version 18
    node.set_op_type("ReduceMean");
    node.add_input("sides");
    SetInt(node, "keepdims", 0);
    return Nodes{node};
  });
  expect([](onnx::Node node) {
    node.set_op_type("AveragePool");
    SetInts(node, "kernel_shape", {2, 2});
    SetInts(node, "strides", {2, 2});
    return Nodes{node};
  });
  expect([](onnx::Node node) {  // by way of a list of pixels
    onnx::Node shape = NodeOf("Constant", {}, "three");
    SetInts(shape, "value_ints", {0, 0, -1});
    onnx::Node list = NodeOf("Reshape", {node.input(0), "three"}, "list");
    onnx::Node mean = NodeOf("ReduceMean", {"list"}, node.output(0));
    SetInts(mean, "axes", {-1});
    SetInt(mean, "keepdims", 0);
    return Nodes{shape, list, mean};
  });
  onnx::Model file = OnnxFileOf(model);
  Replace(file, "GlobalAveragePool", [](onnx::Node node) {
    node.set_op_type("AveragePool");
    SetInts(node, "kernel_shape", {1, 2});
    return Nodes{node};
  });
  EXPECT_THAT(ComplaintAbout(file),
              HasSubstr("averages over 1 x 2 pixels, expected the whole map of 2 x 2 (AveragePool)"));
  file = OnnxFileOf(model);
  Replace(file, "GlobalAveragePool", [](onnx::Node node) {
    node.set_op_type("ReduceMean");
    SetInts(node, "axes", {1, 2});
    return Nodes{node};
  });
  EXPECT_THAT(ComplaintAbout(file),
              HasSubstr("averages over other axes than height and width of [N, C 1280, H 2, W 2]"));
}

TEST(OnnxOperators, FlattenedHoweverSpelled) {
  const Model model = SmallModel();
  const auto expect = [&](const std::function<Nodes(onnx::Node)>& by) {
    onnx::Model file = OnnxFileOf(model);
    AddInts(file, "zero_rest", {0, -1});
    AddInts(file, "rest_all", {-1, 1280});
    AddInts(file, "rest", {-1});
    AddInts(file, "first", {0});
    AddInts(file, "sides", {2, 3});
    Replace(file, "Flatten", by);
    ExpectReadAs(file, model);
  };
  for (const char* shape : {"zero_rest", "rest_all"}) {
    expect([&](const onnx::Node& node) {
      return Nodes{NodeOf("Reshape", {node.input(0), shape}, node.output(0))};
    });
  }
  expect([](const onnx::Node& node) {
    return Nodes{NodeOf("Squeeze", {node.input(0), "sides"}, node.output(0))};
  });
  expect([](const onnx::Node& node) {  // one by one, by attributes
    onnx::Node width = NodeOf("Squeeze", {node.input(0)}, "width");
    SetInts(width, "axes", {-1});
    onnx::Node height = NodeOf("Squeeze", {"width"}, node.output(0));
    SetInts(height, "axes", {2});
    return Nodes{width, height};
  });
  expect([](const onnx::Node& node) {  // x.view(x.size(0), -1)
    return Nodes{NodeOf("Shape", {node.input(0)}, "shape"), NodeOf("Gather", {"shape", "first"}, "size"),
                 NodeOf("Concat", {"size", "rest"}, "target"),
                 NodeOf("Reshape", {node.input(0), "target"}, node.output(0))};
  });
  expect([](const onnx::Node& node) {  // the same by a slice, and the product of the others
    onnx::Node slice = NodeOf("Slice", {"shape", "first", "one"}, "size");
    onnx::Node one = NodeOf("Constant", {}, "one");
    SetInts(one, "value_ints", {1});
    onnx::Node scalar = NodeOf("Constant", {}, "c");
    SetInt(scalar, "value_int", 1);
    onnx::Node sum = NodeOf("Gather", {"shape", "c"}, "channels");
    onnx::Node twice = NodeOf("Mul", {"channels", "c"}, "product");
    onnx::Node cast = NodeOf("Cast", {"product1"}, "product2");
    SetInt(cast, "to", 7);
    return Nodes{one,
                 NodeOf("Shape", {node.input(0)}, "shape"),
                 slice,
                 scalar,
                 sum,
                 twice,
                 NodeOf("Unsqueeze", {"product", "first"}, "product1"),
                 cast,
                 NodeOf("Concat", {"size", "product2"}, "target"),
                 NodeOf("Reshape", {node.input(0), "target"}, node.output(0))};
  });
}

TEST(OnnxOperators, DenseLayersHoweverSpelled) {
  const Model model = SmallModel();
  const auto transposed = [](onnx::Model& file, const std::string& weight) {
    onnx::Tensor& tensor = TensorNamed(file, weight);
    const std::int64_t out = tensor.dims(0);
    const std::int64_t in = tensor.dims(1);
    const std::vector<float> values = FloatsOf(tensor);
    std::vector<float> turned;
    for (std::int64_t i = 0; i < in; ++i) {
      for (std::int64_t o = 0; o < out; ++o) turned.push_back(values[static_cast<std::size_t>(o * in + i)]);
    }
    AddFloats(file, "turned", {in, out}, turned);
  };
  onnx::Model file = OnnxFileOf(model);
  Replace(file, "Gemm", [&](onnx::Node node) {
    transposed(file, node.input(1));
    node.set_input(1, "turned");
    SetInt(node, "transB", 0);
    return Nodes{node};
  });
  ExpectReadAs(file, model);
  file = OnnxFileOf(model);
  Replace(file, "Gemm", [&](onnx::Node node) {
    transposed(file, node.input(1));
    return Nodes{NodeOf("MatMul", {node.input(0), "turned"}, "product"),
                 NodeOf("Add", {node.input(2), "product"}, node.output(0))};
  });
  ExpectReadAs(file, model);
  file = OnnxFileOf(model);
  Replace(file, "Gemm", [&](onnx::Node node) {  // a transpose that was not folded
    return Nodes{NodeOf("Transpose", {node.input(1)}, "turned"),
                 NodeOf("MatMul", {node.input(0), "turned"}, "product"),
                 NodeOf("Add", {"product", node.input(2)}, node.output(0))};
  });
  ExpectReadAs(file, model);
  // alpha and beta
  file = OnnxFileOf(model);
  Replace(file, "Gemm", [&](onnx::Node node) {
    for (const int input : {1, 2}) {
      onnx::Tensor& tensor = TensorNamed(file, node.input(input));
      std::vector<float> values = FloatsOf(tensor);
      for (float& value : values) value *= input == 1 ? 2.0F : 4.0F;
      tensor.set_raw_data(values.data(), values.size() * sizeof(float));
    }
    SetFloat(node, "alpha", 0.5F);
    SetFloat(node, "beta", 0.25F);
    return Nodes{node};
  });
  ExpectReadAs(file, model);
}

// Batch norms as nodes, and the scale and shift that are left of them.
TEST(OnnxOperators, BatchNormsUnfolded) {
  Model model = SmallModel();
  onnx::Model file = OnnxFileOf(model);
  int count = 0;
  Replace(file, "Conv", [&](onnx::Node node) {
    const std::string number = std::to_string(count++);
    const std::string out = node.output(0);
    const auto channels = static_cast<std::int64_t>(FloatsOf(TensorNamed(file, node.input(2))).size());
    const std::vector<float> four(static_cast<std::size_t>(channels), 3.75F);
    const std::vector<float> two(static_cast<std::size_t>(channels), 2);
    const std::vector<float> one(static_cast<std::size_t>(channels), 1);
    node.set_output(0, out + "/conv");
    if (count % 2 == 0) {  // y * 4 / 2 - 1 - (-1) - y ... = (y * 2 + 1) / 2 - 0.5
      return Nodes{
          node,
          NodeOf("Mul", {out + "/conv", AddFloats(file, "two" + number, {channels, 1, 1}, two)}, out + "/2"),
          NodeOf("Add", {AddFloats(file, "one" + number, {1, channels, 1, 1}, one), out + "/2"}, out + "/1"),
          NodeOf("Div", {out + "/1", AddFloats(file, "half" + number, {}, {2})}, out + "/3"),
          NodeOf("Sub", {out + "/3", AddFloats(file, "quarter" + number, {1}, {0.5F})}, out)};
    }
    // (y - 1) / sqrt(3.75 + 0.25) * 2 + 1
    onnx::Node norm = NodeOf(
        "BatchNormalization",
        {out + "/conv", AddFloats(file, "gamma" + number, {channels}, two),
         AddFloats(file, "beta" + number, {channels}, one), AddFloats(file, "mean" + number, {channels}, one),
         AddFloats(file, "variance" + number, {channels}, four)},
        out);
    SetFloat(norm, "epsilon", 0.25F);
    return Nodes{node, norm};
  });
  ExpectReadAs(file, model);
  const Layer first = Read(file).network.layers[0];
  EXPECT_TRUE(first.batch_norm);
  EXPECT_EQ(first.epsilon, 0.25F);
}

TEST(OnnxOperators, PaddingHoweverSpelled) {
  const Model model = SmallModel();
  const auto expect = [&](const std::function<Nodes(onnx::Node)>& by, onnx::Model& file) {
    Replace(file, "Conv", by);
    ExpectReadAs(file, model);
  };
  const auto padded = [](const onnx::Node& node) {
    for (const onnx::Attribute& attribute : node.attribute()) {
      if (attribute.name() == "kernel_shape") return attribute.ints(0) == 3;
    }
    return false;
  };
  onnx::Model automatic = OnnxFileOf(model);
  expect(
      [&](onnx::Node node) {
        SetInts(node, "pads", {});
        SetText(node, "auto_pad", padded(node) ? "SAME_UPPER" : "VALID");
        return Nodes{node};
      },
      automatic);
  for (const bool attribute : {true, false}) {
    onnx::Model file = OnnxFileOf(model);
    const std::string none = AddFloats(file, "none", {}, {0});
    expect(
        [&](onnx::Node node) {
          if (!padded(node)) return Nodes{node};
          const auto pads = Attribute(node, "pads")->ints();
          onnx::Node pad = NodeOf("Pad", {node.input(0)}, node.output(0) + "/pad");
          const std::vector<std::int64_t> all = {0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]};
          for (const std::int64_t n : all) {
            if (attribute) Attribute(pad, "pads")->add_ints(n);
          }
          if (!attribute) {
            pad.add_input(AddInts(file, node.output(0) + "/pads", all));
            pad.add_input("none");
          }
          node.set_input(0, pad.output(0));
          SetInts(node, "pads", {0, 0, 0, 0});
          return Nodes{pad, node};
        },
        file);
  }
}

TEST(OnnxOperators, AutomaticPaddingMayBeginAbove) {
  Model model = SmallModel();
  for (Layer& layer : model.network.layers) {
    std::swap(layer.padding.top, layer.padding.bottom);
    std::swap(layer.padding.left, layer.padding.right);
  }
  model.network.recipe = std::nullopt;
  onnx::Model file = OnnxFileOf(model);
  Replace(file, "Conv", [](onnx::Node node) {
    SetInts(node, "pads", {});
    SetText(node, "auto_pad", "SAME_LOWER");
    return Nodes{node};
  });
  ExpectReadAs(file, model);
}

// As tf2onnx has it: the input is NHWC, and so is each map in between.
TEST(OnnxOperators, TransposesBetweenNhwcAndNchw) {
  const Model model = SmallModel();
  onnx::Model file = OnnxFileOf(model);
  auto& dims =
      *file.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  dims.mutable_dim(1)->set_dim_value(64);
  dims.mutable_dim(3)->set_dim_value(3);
  Replace(file, "Conv", [](onnx::Node node) {
    onnx::Node before = NodeOf("Transpose", {node.input(0)}, node.output(0) + "/nchw");
    SetInts(before, "perm", {0, 3, 1, 2});
    onnx::Node after = NodeOf("Transpose", {node.output(0) + "/conv"}, node.output(0));
    SetInts(after, "perm", {0, 2, 3, 1});
    node.set_input(0, before.output(0));
    node.set_output(0, after.input(0));
    return Nodes{before, node, after};
  });
  Replace(file, "GlobalAveragePool", [](onnx::Node node) {
    node.set_op_type("ReduceMean");
    SetInts(node, "axes", {1, 2});
    return Nodes{node};
  });
  ExpectReadAs(file, model);
  EXPECT_EQ(TitleOf(Read(file).network), "MobileNet V2, alpha 0.1, 64 x 64");
  // A convolution over rows of channels is another network.
  Replace(file, "Transpose",
          [](onnx::Node node) { return Nodes{NodeOf("Identity", {node.input(0)}, node.output(0))}; });
  EXPECT_THAT(ComplaintAbout(file),
              HasSubstr("reads a map of the axes [N, H 64, W 64, C 3], expected N, C, H, W (Conv)"));
}

TEST(OnnxOperators, WhatDoesNothingGoesAway) {
  const Model model = SmallModel();
  onnx::Model file = OnnxFileOf(model);
  AddInts(file, "end", {-1});
  onnx::Tensor& no = *file.mutable_graph()->add_initializer();
  no.set_name("not trained");
  no.set_data_type(9);
  no.set_raw_data(std::string(1, '\0'));
  Replace(file, "Gemm", [](onnx::Node node) {
    onnx::Node dropout = NodeOf("Dropout", {node.input(0)}, "dropped");
    dropout.add_output("mask");
    dropout.add_input("");
    dropout.add_input("not trained");
    onnx::Node cast = NodeOf("Cast", {"same"}, "float");
    SetInt(cast, "to", 1);
    node.set_input(0, "float");
    node.set_output(0, "answers");
    return Nodes{dropout,
                 NodeOf("Identity", {"dropped"}, "same"),
                 cast,
                 node,
                 NodeOf("Unsqueeze", {"answers", "end"}, "one_more"),
                 NodeOf("Squeeze", {"one_more", "end"}, "one_less"),
                 NodeOf("Softmax", {"one_less"}, "logits"),
                 NodeOf("NonMaxSuppression", {"answers"}, "that nobody reads")};
  });
  ExpectReadAs(file, model);
}

TEST(OnnxOperators, ASigmoidAtTheEndIsWhatTheAnswersMean) {
  onnx::Model file = OnnxFileOf(SmallModel());
  Replace(file, "Gemm", [](onnx::Node node) {
    node.set_output(0, "answers");
    return Nodes{node, NodeOf("Sigmoid", {"answers"}, "logits")};
  });
  const std::string bytes = file.SerializeAsString();
  const std::span<const std::uint8_t> data(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  EXPECT_EQ(Model::Parse(data).answers, Answers::kSigmoid);
}

// Gives the weights another form, and expects the values that `rounded` makes of them.
TEST(OnnxOperators, NumbersHoweverStored) {
  const Model model = SmallModel();
  const auto expect = [&](const std::function<void(const std::vector<float>&, onnx::Tensor&)>& store,
                          bool cast) {
    onnx::Model file = OnnxFileOf(model);
    onnx::Model halves = OnnxFileOf(model);
    for (int i = 0; i < file.graph().initializer_size(); ++i) {
      onnx::Tensor& tensor = *file.mutable_graph()->mutable_initializer(i);
      std::vector<float> values = FloatsOf(tensor);
      tensor.clear_raw_data();
      store(values, tensor);
      for (float& value : values) value = tensor.data_type() == 10 ? FromF16(RoundToF16(value)) : value;
      halves.mutable_graph()->mutable_initializer(i)->set_raw_data(values.data(),
                                                                   values.size() * sizeof(float));
    }
    if (cast) {
      Replace(file, "Gemm", [](onnx::Node node) {
        onnx::Node wide = NodeOf("Cast", {node.input(1)}, "wide");
        SetInt(wide, "to", 1);
        node.set_input(1, "wide");
        return Nodes{wide, node};
      });
    }
    ExpectReadAs(file, Read(halves));
  };
  expect(
      [](const std::vector<float>& values, onnx::Tensor& tensor) {
        for (const float value : values) tensor.add_float_data(value);
      },
      false);
  expect(
      [](const std::vector<float>& values, onnx::Tensor& tensor) {
        std::vector<std::uint16_t> halves;
        for (const float value : values) halves.push_back(RoundToF16(value));
        tensor.set_data_type(10);
        tensor.set_raw_data(halves.data(), halves.size() * 2);
      },
      true);
  expect(
      [](const std::vector<float>& values, onnx::Tensor& tensor) {
        std::string varints;
        for (const float value : values) {
          std::uint32_t half = RoundToF16(value);
          for (; half >= 0x80; half >>= 7) varints += static_cast<char>(half | 0x80U);
          varints += static_cast<char>(half);
        }
        tensor.set_data_type(10);
        tensor.set_int32_data(varints);
      },
      false);
}

TEST(OnnxOperators, SizesThatMayBeAny) {
  const Model model = SmallModel();
  onnx::Model file = OnnxFileOf(model);
  auto& shape =
      *file.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  for (const int axis : {2, 3}) {
    shape.mutable_dim(axis)->clear_dim_value();
    shape.mutable_dim(axis)->set_dim_param("side");
  }
  const Model read = Read(file);
  EXPECT_EQ(read.network.input, (Shape{224, 224, 3}));
  EXPECT_THAT(read.provenance.at("resolution"), HasSubstr("not in the file"));
  shape.mutable_dim(1)->clear_dim_value();
  EXPECT_EQ(Read(file).network.input, (Shape{224, 224, 3}));
}

// What the file does to its input is the preprocessing, on pixels of 0 to 255.
TEST(OnnxOperators, TheInputsScalingIsThePreprocessing) {
  const Model model = SmallModel();
  const auto preprocessing = [&](const Nodes& nodes) {
    onnx::Model file = OnnxFileOf(model);
    file.clear_metadata_props();
    AddFloats(file, "imagenet mean", {1, 3, 1, 1}, {0.485F, 0.456F, 0.406F});
    AddFloats(file, "imagenet deviation", {3, 1, 1}, {0.229F, 0.224F, 0.225F});
    AddFloats(file, "255", {}, {255});
    AddFloats(file, "127.5", {1}, {127.5F});
    AddFloats(file, "2", {1, 1, 1, 1}, {2});
    AddFloats(file, "1", {}, {1});
    bool first = true;
    Replace(file, "Conv", [&](onnx::Node node) {
      Nodes all;
      if (std::exchange(first, false)) {
        all = nodes;
        node.set_input(0, "scaled");
      }
      all.push_back(node);
      return all;
    });
    const Model read = Read(file);
    ExpectReadAs(file, model);
    return read.preprocessing;
  };
  EXPECT_EQ(PresetName(
                preprocessing({NodeOf("Div", {"input", "127.5"}, "a"), NodeOf("Sub", {"a", "1"}, "scaled")})),
            "tensorflow");
  EXPECT_EQ(PresetName(preprocessing({NodeOf("Div", {"input", "255"}, "scaled")})), "unit");
  EXPECT_EQ(
      PresetName(preprocessing({NodeOf("Mul", {"2", "input"}, "a"), NodeOf("Sub", {"a", "1"}, "scaled")})),
      "tensorflow");
  for (const bool pixels : {false, true}) {
    Nodes nodes = {NodeOf("Sub", {pixels ? "unit" : "input", "imagenet mean"}, "a"),
                   NodeOf("Div", {"a", "imagenet deviation"}, "scaled")};
    if (pixels) nodes.insert(nodes.begin(), NodeOf("Div", {"input", "255"}, "unit"));
    const Preprocessing found = preprocessing(nodes);
    const Preprocessing expected = PreprocessingPreset("pytorch");
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(found.mean[c], expected.mean[c], 1e-3F);
      EXPECT_NEAR(found.scale[c], expected.scale[c], 1e-6F);
    }
  }
}

}  // namespace
}  // namespace mobilenet
