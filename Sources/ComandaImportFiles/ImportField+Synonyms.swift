extension ImportField {
  /// Header names that mean this field, best first, as ``HeaderName/normalised(_:)`` gives them.
  var synonyms: [String] { Self.synonymsByField[self] ?? [] }

  private static let synonymsByField = names.mapValues { $0.split(whereSeparator: \.isWhitespace).map(String.init) }

  private static let names: [ImportField: String] = [
    .externalID: """
    externalid orderid ordernumber orderno ordernum ordercode orderref order id 注文番号 注文id 注文no 受注番号 受注id オーダー番号
    オーダーid 伝票番号 注文コード
    """,
    .placedAt: """
    placedat orderedat ordertime orderdate orderdatetime createdat datetime timestamp date 注文日時 受注日時 注文日 受注日 日時
    """,
    .customerName: """
    customername customer client clientname buyer buyername recipientname 顧客名 お客様名 お客様氏名 客名 氏名 注文者名 注文者 ご注文者名
    購入者名 名前 お名前
    """,
    .customerPhone: """
    customerphone phone phonenumber telephone tel mobile contactnumber 電話番号 電話 携帯電話 携帯番号 連絡先 お客様電話番号
    """,
    .customerEmail: "customeremail email emailaddress mail mailaddress メールアドレス メール eメール お客様メールアドレス",
    .fulfilment: """
    fulfilment fulfillment fulfilmenttype fulfillmenttype ordertype deliverytype deliverymethod servicetype 受取方法
    受け取り方法 配送方法 お渡し方法 注文区分
    """,
    .deliveryAddress: "deliveryaddress address shippingaddress shipto 住所 配達先 配達先住所 お届け先 お届け先住所 配送先 配送先住所",
    .deliveryFee: """
    deliveryfee deliverycost deliverycharge shippingcost shippingfee 配達料 配達料金 配送料 送料 デリバリー料金
    """,
    .currency: "currency currencycode 通貨 通貨コード",
    .orderSubtotal: "ordersubtotal subtotal 小計 商品合計 商品小計",
    .orderTotal: """
    ordertotal grandtotal totalamount total totaldue 合計 合計金額 総合計 総額 請求金額 お支払い金額 支払金額 注文金額 注文合計
    """,
    .paymentMethod: "paymentmethod payment paymenttype paidby 支払方法 お支払い方法 支払い方法 決済方法 支払",
    .notificationChannel: "notificationchannel notification notifyby notify 通知方法 通知 連絡方法",
    .notificationRecipient: "notificationrecipient notifyto 通知先",
    .note: """
    ordernote ordernotes ordercomment note notes remark remarks comment comments 備考 注文備考 メモ 要望 ご要望
    """,
    .itemName: """
    itemname item productname product dishname dish menuitem menuname articlename title 商品名 品名 メニュー名 メニュー 商品 料理名
    """,
    .itemSKU: "itemsku sku itemcode itemid productcode productid articlenumber 商品コード 商品番号 品番 商品id",
    .itemQuantity: "itemquantity quantity qty count pieces pcs 数量 個数 点数 注文数",
    .itemUnitPrice: "itemunitprice unitprice itemprice price priceeach unitcost 単価 価格 販売価格 税込単価 単価税込",
    .itemTotal: """
    itemtotal itemtotalprice linetotal lineamount lineprice itemamount extendedprice amount 金額 明細金額 税込金額 金額税込
    商品金額 小計金額
    """,
    .itemNote: """
    itemnote itemnotes itemcomment choicedescription choice choices options option modifiers toppings オプション
    トッピング 商品備考 明細備考
    """,
  ]
}
