#include "as_onnx.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "complaint.h"
#include "formats/onnx_writer.h"

namespace mobilenet {

onnx::Model OnnxFileOf(const Model& model) { return OnnxOf(model, {}, "f"); }

Model Read(const onnx::Model& file) {
  const std::string bytes = file.SerializeAsString();
  return Model::Parse({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, "f");
}

void ExpectReadAs(const onnx::Model& file, const Model& model) { ExpectSameAnswers(Read(file), model); }

std::string ComplaintAbout(const onnx::Model& file) {
  return Complaint([&] { Read(file); });
}

onnx::Node NodeOf(const std::string& type, const std::vector<std::string>& inputs,
                  const std::string& output) {
  onnx::Node node;
  node.set_op_type(type);
  node.set_name(output);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  return node;
}

onnx::Attribute* Attribute(onnx::Node& node, const std::string& name) {
  for (onnx::Attribute& attribute : *node.mutable_attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  onnx::Attribute* attribute = node.add_attribute();
  attribute->set_name(name);
  return attribute;
}

void SetInts(onnx::Node& node, const std::string& name, std::initializer_list<std::int64_t> values) {
  Attribute(node, name)->clear_ints();
  for (const std::int64_t value : values) Attribute(node, name)->add_ints(value);
}

void SetInt(onnx::Node& node, const std::string& name, std::int64_t value) {
  Attribute(node, name)->set_i(value);
}

void SetFloat(onnx::Node& node, const std::string& name, float value) { Attribute(node, name)->set_f(value); }

void SetText(onnx::Node& node, const std::string& name, const std::string& value) {
  Attribute(node, name)->set_s(value);
}

std::string AddFloats(onnx::Model& file, const std::string& name, std::initializer_list<std::int64_t> shape,
                      const std::vector<float>& values) {
  onnx::Tensor& tensor = *file.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(1);
  for (const std::int64_t n : shape) tensor.add_dims(n);
  for (const float value : values) tensor.add_float_data(value);
  return name;
}

std::string AddInts(onnx::Model& file, const std::string& name, const std::vector<std::int64_t>& values) {
  onnx::Tensor& tensor = *file.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(7);
  tensor.add_dims(static_cast<std::int64_t>(values.size()));
  for (const std::int64_t value : values) tensor.add_int64_data(value);
  return name;
}

onnx::Tensor& TensorNamed(onnx::Model& file, const std::string& name) {
  auto& tensors = *file.mutable_graph()->mutable_initializer();
  return *std::ranges::find_if(tensors, [&](const onnx::Tensor& tensor) { return tensor.name() == name; });
}

std::vector<float> FloatsOf(const onnx::Tensor& tensor) {
  std::vector<float> values(tensor.raw_data().size() / sizeof(float));
  std::memcpy(values.data(), tensor.raw_data().data(), tensor.raw_data().size());
  return values;
}

void Replace(onnx::Model& file, const std::string& type,
             const std::function<std::vector<onnx::Node>(onnx::Node)>& by) {
  onnx::Graph old;
  old.mutable_node()->Swap(file.mutable_graph()->mutable_node());
  for (const onnx::Node& node : old.node()) {
    if (node.op_type() != type) {
      *file.mutable_graph()->add_node() = node;
      continue;
    }
    for (const onnx::Node& other : by(node)) *file.mutable_graph()->add_node() = other;
  }
}

}  // namespace mobilenet
