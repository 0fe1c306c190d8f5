/* Asks a SavedModel for its answers without Python and without a server.

     native_client MODEL_DIR INPUT_OP OUTPUT_OP OUTPUT_INDEX STATUS_INDEX PICTURE...

   Loads it with TensorFlow's C API, as TensorFlow Serving's own loader does, sends the
   files' bytes as one batch and prints one line a picture: its numbers, or why it has
   none, as the output `status` says (STATUS_INDEX of the same operation; -1 for an older
   model, which has no such output and fails the whole batch). The names of the operations
   are those of `saved_model_cli show`; docs/guide/serving.md has the commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/tf_tstring.h"

static TF_Status* status;

static void check(const char* what) {
  if (TF_GetCode(status) == TF_OK) return;
  fprintf(stderr, "%s failed: %s\n", what, TF_Message(status));
  exit(1);
}

static TF_Output find(TF_Graph* graph, const char* name, int index) {
  TF_Output found = {TF_GraphOperationByName(graph, name), index};
  if (found.oper == NULL) {
    fprintf(stderr, "The model has no operation %s\n", name);
    exit(1);
  }
  return found;
}

static void read_into(const char* path, TF_TString* string) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  char* data = malloc(size > 0 ? size : 1);
  if (fread(data, 1, size, file) != (size_t)size) {
    fprintf(stderr, "%s can't be read\n", path);
    exit(1);
  }
  fclose(file);
  TF_StringInit(string);
  TF_StringCopy(string, data, size);
  free(data);
}

/* Whether a row has an answer; why not is printed. */
static int is_answer(TF_Tensor* said, int64_t row) {
  if (said == NULL) return 1;
  const TF_TString* text = (const TF_TString*)TF_TensorData(said) + row;
  int size = (int)TF_StringGetSize(text);
  const char* data = TF_StringGetDataPointer(text);
  if (size == 2 && memcmp(data, "OK", 2) == 0) return 1;
  printf("no answer: %.*s\n", size, data);
  return 0;
}

/* How many rows have no answer. */
static int print_rows(TF_Tensor* answers, TF_Tensor* said) {
  int bad = 0;
  const float* values = TF_TensorData(answers);
  int64_t rows = TF_Dim(answers, 0);
  int64_t columns = TF_NumDims(answers) > 1 ? TF_Dim(answers, 1) : 1;
  for (int64_t row = 0; row < rows; row++) {
    if (!is_answer(said, row)) {
      bad++;
      continue;
    }
    for (int64_t column = 0; column < columns; column++)
      printf("%s%.7g", column ? " " : "", values[row * columns + column]);
    printf("\n");
  }
  return bad;
}

int main(int argc, char** argv) {
  if (argc < 7) {
    fprintf(stderr,
            "usage: %s MODEL_DIR INPUT_OP OUTPUT_OP OUTPUT_INDEX STATUS_INDEX PICTURE...\n",
            argv[0]);
    return 2;
  }
  status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  TF_SessionOptions* options = TF_NewSessionOptions();
  const char* tags[] = {"serve"};
  TF_Session* session = TF_LoadSessionFromSavedModel(options, NULL, argv[1], tags, 1,
                                                     graph, NULL, status);
  check("Loading the model");

  int64_t count = argc - 6;
  TF_Tensor* pictures =
      TF_AllocateTensor(TF_STRING, &count, 1, count * sizeof(TF_TString));
  TF_TString* strings = TF_TensorData(pictures);
  for (int64_t i = 0; i < count; i++) read_into(argv[6 + i], &strings[i]);

  TF_Output input = find(graph, argv[2], 0);
  int has_status = atoi(argv[5]) >= 0;
  TF_Output outputs[] = {find(graph, argv[3], atoi(argv[4])),
                         find(graph, argv[3], has_status ? atoi(argv[5]) : 0)};
  TF_Tensor* answers[] = {NULL, NULL};
  TF_SessionRun(session, NULL, &input, &pictures, 1, outputs, answers, 1 + has_status,
                NULL, 0, NULL, status);
  check("The request");
  if (TF_TensorType(answers[0]) != TF_FLOAT ||
      (has_status && TF_TensorType(answers[1]) != TF_STRING)) {
    fprintf(stderr, "%s:%s does not hold floats, or %s no texts\n", argv[3], argv[4],
            argv[5]);
    return 1;
  }
  int bad = print_rows(answers[0], has_status ? answers[1] : NULL);

  for (int64_t i = 0; i < count; i++) TF_StringDealloc(&strings[i]);
  TF_DeleteTensor(answers[0]);
  if (has_status) TF_DeleteTensor(answers[1]);
  TF_DeleteTensor(pictures);
  TF_CloseSession(session, status);
  TF_DeleteSession(session, status);
  TF_DeleteSessionOptions(options);
  TF_DeleteGraph(graph);
  TF_DeleteStatus(status);
  return bad > 0;
}
