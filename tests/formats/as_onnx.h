// ONNX files for tests: what SaveOnnx writes, changed into what others write.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "formats/onnx.pb.h"
#include "mobilenet/model.h"
#include "random_model.h"

namespace mobilenet {

// What SaveOnnx writes.
onnx::Model OnnxFileOf(const Model& model);

// What is read from the file.
Model Read(const onnx::Model& file);

// Whether the file is read as a network that computes what `model` does.
void ExpectReadAs(const onnx::Model& file, const Model& model);

// What reading the file complains about.
std::string ComplaintAbout(const onnx::Model& file);

// A node; its attributes are set by the functions below.
onnx::Node NodeOf(const std::string& type, const std::vector<std::string>& inputs, const std::string& output);
void SetInts(onnx::Node& node, const std::string& name, std::initializer_list<std::int64_t> values);
void SetInt(onnx::Node& node, const std::string& name, std::int64_t value);
void SetFloat(onnx::Node& node, const std::string& name, float value);
void SetText(onnx::Node& node, const std::string& name, const std::string& value);
onnx::Attribute* Attribute(onnx::Node& node, const std::string& name);

// Adds constants to the file, and returns their name.
std::string AddFloats(onnx::Model& file, const std::string& name, std::initializer_list<std::int64_t> shape,
                      const std::vector<float>& values);
std::string AddInts(onnx::Model& file, const std::string& name, const std::vector<std::int64_t>& values);
onnx::Tensor& TensorNamed(onnx::Model& file, const std::string& name);
std::vector<float> FloatsOf(const onnx::Tensor& tensor);

// Puts others in the place of each node of a type.
void Replace(onnx::Model& file, const std::string& type,
             const std::function<std::vector<onnx::Node>(onnx::Node)>& by);

}  // namespace mobilenet
