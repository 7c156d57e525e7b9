using Ldvc.Tensors;

namespace Ldvc.Kernels.CrossEntropy;

/// <summary>Softmax cross-entropy over the rows of logits [rows, columns].</summary>
internal interface ICrossEntropyKernels
{
    /// <summary>loss [1] = mean over rows of logSumExp(row) - row[target]; targets int32 [rows]; logSumExp [rows] is kept.</summary>
    void Forward(View logits, View targets, View logSumExp, View loss, int rows, int columns);

    /// <summary>dlogits (+)= (softmax - one hot) / rows * lossGradient [1].</summary>
    void Backward(View logits, View targets, View logSumExp, View lossGradient, View dlogits, bool accumulate, int rows, int columns);
}
