using Ldvc.Tensors;

namespace Ldvc.Kernels.CrossEntropy;

/// <summary>
/// Softmax cross-entropy over the rows of logits [rows, columns], with a target a row, int32 [rows]. Rows whose target is `ignored` count for
/// nothing, neither in the sum nor in the number that it is divided by; when all are ignored, the loss is NaN, as in PyTorch.
/// </summary>
internal interface ICrossEntropyKernels
{
    /// <summary>
    /// loss [1] = mean over the rows that count of logSumExp(row) - row[target]. statistics [rows + 1] is kept for the backward: each row's
    /// log-sum-exp, then one over the number of rows that count. A target outside of 0 .. columns - 1 is an error on the CPU and makes the loss NaN
    /// on a GPU.
    /// </summary>
    void Forward(View logits, View targets, View statistics, View loss, int rows, int columns, int ignored);

    /// <summary>dlogits (+)= (softmax - one hot) / number of rows that count * lossGradient [1]; nothing for ignored rows.</summary>
    void Backward(View logits, View targets, View statistics, View lossGradient, View dlogits, bool accumulate, int rows, int columns, int ignored);
}
